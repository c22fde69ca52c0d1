//! Every error of the platform, and the status it becomes. The one place that maps them.

use crate::{Problem, ProblemType, body::at_fault, feeds::CURSOR, since::POSITION};
use axum::http::header::{LOCATION, RETRY_AFTER};
use factum::{
    ErrorKind, ExecuteError, OperateError, ProjectionError, QueryError, ReadError, Reject, Rejection,
    StoreError, SubmitError, store::AppendError,
};

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
            ExecuteError::StaleRevision(_) => Self::new(ProblemType::Stale, detail),
            ExecuteError::NoRevision => no_revision(detail),
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

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::Undecodable(cause) => {
                // The place counts from the start of `data`, which is not what its sender sees.
                let message = cause.cause.split(" at line ").next().unwrap_or_default().to_owned();
                let field = match at_fault(".", &message) {
                    field if field == "body" => "data".to_owned(),
                    field => format!("data.{field}"),
                };
                let detail = format!("the field `{field}` is not as `{}` has it: {message}", cause.name);
                Self::new(ProblemType::Shape, detail).field(field, message)
            }
            SubmitError::StaleRevision(_) => Self::new(ProblemType::Stale, detail),
            SubmitError::NoRevision => no_revision(detail),
            SubmitError::KeyReused { .. } => Self::new(ProblemType::KeyReused, detail),
            SubmitError::Invalid(_) => Self::new(ProblemType::TooLarge, detail),
            SubmitError::InvalidKey(_) => Self::new(ProblemType::Shape, detail),
            SubmitError::Unavailable(cause) => Self::from(cause),
            SubmitError::Unknown { command, .. } => {
                Self::new(ProblemType::Unknown, detail).header(LOCATION, &format!("/commands/{command}"))
            }
            _ => Self::new(ProblemType::Corrupt, detail),
        }
    }
}

fn no_revision(detail: String) -> Problem {
    Problem::new(ProblemType::Shape, detail).field("If-Match", "is about no stream")
}

impl From<OperateError> for Problem {
    fn from(error: OperateError) -> Self {
        let detail = error.to_string();
        match error {
            OperateError::NotParked { .. } => Self::new(ProblemType::NotParked, detail),
            OperateError::Conflict { .. } => {
                Self::new(ProblemType::Conflict, detail).header(RETRY_AFTER, "1")
            }
            OperateError::Unavailable(cause) => Self::from(cause),
            OperateError::Refused(AppendError::Invalid(_)) => Self::new(ProblemType::TooLarge, detail),
            OperateError::Refused(AppendError::Unknown { .. }) => Self::new(ProblemType::Unknown, detail),
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

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let detail = error.to_string();
        let at_fault =
            |field: &str, message: &str| Self::new(ProblemType::Shape, detail.clone()).field(field, message);
        match error {
            QueryError::NotReadable { .. } => {
                Self::new(ProblemType::Unavailable, detail).header(RETRY_AFTER, "1")
            }
            QueryError::Unavailable(cause) => Self::from(cause),
            QueryError::Cursor => at_fault(CURSOR, "is none of this list"),
            QueryError::NoIndex { index, known, .. } => {
                at_fault(&index, &format!("is no index: there are {known}"))
            }
            QueryError::OtherLog => {
                at_fault(POSITION, "is of another log, or of an earlier life of this one")
            }
            QueryError::Token(_) => at_fault(POSITION, "is none of this service"),
            _ => Self::new(ProblemType::Corrupt, detail),
        }
    }
}

impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Self {
        let detail = error.to_string();
        match error {
            ProjectionError::Unknown { .. } => {
                Self::new(ProblemType::NotFound, detail).field("name", "is not known")
            }
            ProjectionError::NotParked { .. } => Self::new(ProblemType::NotParked, detail),
            ProjectionError::Conflict { .. }
            | ProjectionError::StillFails { .. }
            | ProjectionError::Stopped { .. } => Self::new(ProblemType::State, detail),
            ProjectionError::Unavailable(cause) => Self::from(cause),
            _ => Self::new(ProblemType::Corrupt, detail),
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
