//! W3C Trace Context: which trace a request belongs to, taken in from `traceparent` and `tracestate`, given
//! out again, and kept with the command. What is malformed is ignored, as the standard asks: a broken header
//! never costs a request.

use axum::http::HeaderMap;
use factum::{CorrelationId, Entropy, Intake, Uuid};
use std::sync::Arc;

/// The header that names the trace.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The header in which tracing systems keep what is theirs.
const TRACESTATE: &str = "tracestate";
/// Longest `tracestate` that is kept, in bytes; entries at its end are left out beyond that.
const TRACESTATE_BYTES_MAX: usize = 1024;
/// Flags that have a meaning: sampled, and random trace id.
const FLAGS_KNOWN: u8 = 0b11;

/// Where a request stands in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    trace: u128,
    /// The span of this request.
    span: u64,
    /// Who sent the request, if they said so.
    parent: Option<Parent>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parent {
    trace: u128,
    span: u64,
    flags: u8,
    state: Option<Arc<str>>,
}

impl TraceContext {
    /// The trace that the headers name, else a new one; with a new span for this request.
    pub(crate) fn of(headers: &HeaderMap, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 24];
        entropy.fill(&mut random);
        let (trace, span) = random.split_at(16);
        let parent = Parent::of(headers);
        // Zero is no id.
        let trace = u128::from_be_bytes(trace.try_into().expect("16 bytes")).max(1);
        let span = u64::from_be_bytes(span.try_into().expect("8 bytes")).max(1);
        Self { trace: parent.as_ref().map_or(trace, |parent| parent.trace), span, parent }
    }

    /// The trace's id, as it is written.
    pub(crate) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// This request's span, as it is written.
    pub(crate) fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }

    /// The sender's span, as it is written.
    pub(crate) fn parent_id(&self) -> Option<String> {
        self.parent.as_ref().map(|parent| format!("{:016x}", parent.span))
    }

    /// The header for whoever comes after this request's span.
    pub(crate) fn traceparent(&self) -> String {
        let flags = self.parent.as_ref().map_or(0, |parent| parent.flags);
        format!("00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }

    /// Puts a trace that came in on a command: as its correlation where it has none, and as headers that are
    /// stored with its commit, for effects that follow later.
    pub(crate) fn stamp(&self, intake: &mut Intake) {
        let Some(parent) = &self.parent else { return };
        let metadata = &mut intake.metadata;
        metadata.correlation.get_or_insert(CorrelationId::new(Uuid::from_u128(self.trace)));
        metadata.headers.push((TRACEPARENT.into(), self.traceparent().into()));
        let state = parent.state.iter().map(|state| (TRACESTATE.into(), Arc::clone(state)));
        metadata.headers.extend(state);
    }
}

impl Parent {
    /// None if there is no header, more than one, or one that is malformed.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut named = headers.get_all(TRACEPARENT).iter();
        let (value, None) = (named.next()?, named.next()) else { return None };
        let (trace, span, flags) = parse(value.as_bytes())?;
        Some(Self { trace, span, flags, state: state(headers) })
    }
}

/// Trace, span and flags of `version-trace-span-flags`, all lower case hexadecimal. A version to come may
/// have more after a dash; what is known of it stands where it does in version 00.
fn parse(value: &[u8]) -> Option<(u128, u64, u8)> {
    let (known, more) = value.split_at_checked(55)?;
    if known[2] != b'-' || known[35] != b'-' || known[52] != b'-' {
        return None;
    }
    let version = hex(&known[..2])?;
    let may_have_more = version != 0 && more.first() == Some(&b'-');
    if version == 0xff || !(more.is_empty() || may_have_more) {
        return None;
    }
    let (trace, span, flags) = (hex(&known[3..35])?, hex(&known[36..52])?, hex(&known[53..])?);
    let flags = u8::try_from(flags).ok()? & FLAGS_KNOWN;
    (trace != 0 && span != 0).then_some((trace, u64::try_from(span).ok()?, flags))
}

fn hex(digits: &[u8]) -> Option<u128> {
    let digit = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    digits.iter().try_fold(0, |number, next| Some(number << 4 | u128::from(digit(next)?)))
}

/// All `tracestate` headers as one; nothing of it is understood here.
fn state(headers: &HeaderMap) -> Option<Arc<str>> {
    let mut whole = String::new();
    for value in headers.get_all(TRACESTATE) {
        for entry in value.to_str().ok()?.split(',').map(str::trim).filter(is_storable) {
            if whole.len() + 1 + entry.len() > TRACESTATE_BYTES_MAX {
                return (!whole.is_empty()).then(|| whole.into());
            }
            let comma = if whole.is_empty() { "" } else { "," };
            whole.extend([comma, entry]);
        }
    }
    (!whole.is_empty()).then(|| whole.into())
}

/// A tab may stand in a header, and not in a log.
fn is_storable(entry: &&str) -> bool {
    !entry.is_empty() && !entry.contains('\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[derive(Debug)]
    struct Filled(u8);

    impl Entropy for Filled {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn what_the_standard_allows_is_taken() {
        let (trace, span) = (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7);
        let cases = [
            (GOOD.to_owned(), 1),
            (GOOD.replace("-01", "-00"), 0),
            (GOOD.replace("-01", "-03"), 3),
            (GOOD.replace("-01", "-ff"), 3),
            (GOOD.replacen("00", "cc", 1), 1),
            (GOOD.replacen("00", "01", 1) + "-what-comes-later", 1),
            (GOOD.replacen("00", "fe", 1) + "-", 1),
        ];
        for (header, flags) in cases {
            assert_eq!(parse(header.as_bytes()), Some((trace, span, flags)), "{header}");
        }
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        let long = GOOD.to_owned() + "-more";
        let bad = [
            "",
            "00",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            &long,
        ];
        for header in bad {
            assert_eq!(parse(header.as_bytes()), None, "{header}");
        }
    }

    #[test]
    fn a_request_goes_on_in_the_trace_it_came_in() {
        let context = TraceContext::of(&headers(&[(TRACEPARENT, GOOD)]), &Filled(0xab));
        assert_eq!(context.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-abababababababab-01");
        assert_eq!(context.parent_id().unwrap(), "00f067aa0ba902b7");
    }

    #[test]
    fn a_request_without_a_trace_begins_one_that_is_not_stored() {
        let twice = headers(&[(TRACEPARENT, GOOD), (TRACEPARENT, GOOD)]);
        for headers in [headers(&[]), headers(&[(TRACEPARENT, "nonsense"), (TRACESTATE, "a=1")]), twice] {
            let context = TraceContext::of(&headers, &Filled(0));
            assert_eq!(context.traceparent(), "00-00000000000000000000000000000001-0000000000000001-00");
            let mut intake = Intake::default();
            context.stamp(&mut intake);
            assert_eq!((intake.metadata.correlation, intake.metadata.headers.len()), (None, 0));
        }
    }

    #[test]
    fn a_trace_is_the_correlation_of_a_command_that_has_none() {
        let given = [(TRACEPARENT, GOOD), (TRACESTATE, "a=1, b=2"), (TRACESTATE, "x=\t9,c=3")];
        let context = TraceContext::of(&headers(&given), &Filled(1));
        let mut intake = Intake::default();
        context.stamp(&mut intake);
        let correlation = intake.metadata.correlation.unwrap();
        assert_eq!(correlation.to_string(), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
        let kept: Vec<_> = intake.metadata.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(kept, [(TRACEPARENT, &*context.traceparent()), (TRACESTATE, "a=1,b=2,c=3")]);

        let own = CorrelationId::new(Uuid::from_u128(7));
        let mut intake = Intake::default().correlation(own);
        context.stamp(&mut intake);
        assert_eq!(intake.metadata.correlation, Some(own));
    }

    #[test]
    fn a_long_tracestate_loses_its_last_entries() {
        let entry = |name: char| format!("{name}={}", "x".repeat(400));
        let (a, b, c) = (entry('a'), entry('b'), entry('c'));
        let given = headers(&[(TRACESTATE, &format!("{a},{b},{c}"))]);
        assert_eq!(*state(&given).unwrap(), format!("{a},{b}"));
        assert_eq!(state(&headers(&[(TRACESTATE, " , ")])), None);
    }
}
