//! Every error of the platform, and the status it becomes. The one place that maps them.

use crate::{Problem, ProblemType};
use axum::http::header::{LOCATION, RETRY_AFTER};
use factum::{ErrorKind, ExecuteError, ReadError, Reject, Rejection, StoreError};

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::new(ProblemType::Rejected, rejection.reason).code(rejection.code).with_status(rejection.status)
    }
}

impl<R: Reject> From<ExecuteError<R>> for Problem {
    fn from(error: ExecuteError<R>) -> Self {
        let detail = error.to_string();
        if let Some(rejection) = error.rejection() {
            return Self::from(rejection);
        }
        match error {
            ExecuteError::FailedEarlier { .. } => Self::new(ProblemType::Failed, detail),
            ExecuteError::KeyReused { .. } => Self::new(ProblemType::KeyReused, detail),
            ExecuteError::Conflict { .. } => {
                Self::new(ProblemType::Conflict, detail).header(RETRY_AFTER, "1")
            }
            ExecuteError::Invalid(_) => Self::new(ProblemType::TooLarge, detail),
            ExecuteError::InvalidKey(_) => Self::new(ProblemType::Shape, detail),
            ExecuteError::Corrupt(_) | ExecuteError::Unreadable { .. } => {
                Self::new(ProblemType::Corrupt, detail)
            }
            ExecuteError::Unavailable(cause) => Self::from(cause),
            ExecuteError::Unknown { command, .. } => {
                Self::new(ProblemType::Unknown, detail).header(LOCATION, &format!("/commands/{command}"))
            }
            _ => Self::new(ProblemType::Corrupt, detail),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(cause) => Self::from(cause),
            other => Self::new(ProblemType::Corrupt, other.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error.kind() {
            ErrorKind::RepairData | ErrorKind::ReportBug => Self::new(ProblemType::Corrupt, detail),
            ErrorKind::FixInput => Self::new(ProblemType::Shape, detail),
            _ => Self::new(ProblemType::Unavailable, detail).header(RETRY_AFTER, "1"),
        }
    }
}
