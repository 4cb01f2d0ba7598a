//! The response flags of Envoy (`response.flags`): the reasons why an exchange failed, and their words in `error.type`.
//!
//! Each flag is a bit of Envoy's `CoreResponseFlag`. Its short name is the one of the access log; its `error.type` is
//! Sidespan's own, from a small set, and equal for flags that mean the same to a reader (ST-3).

use alloc::string::String;

/// Flags of a connection that the caller ended (DC), or, on HTTP/2 and later, of one stream that the caller reset (DR).
pub(crate) const DOWNSTREAM_GONE: u64 = 0x4000 | 0x1000_0000;
/// Flags that a stream can get while the client is served, when the upstream has given all of its response.
pub(crate) const OF_DELIVERY: u64 = DOWNSTREAM_GONE | 0x1_0000 | 0x4_0000 | 0x40_0000; // SI, DPE, DT
/// Flag of a connection to the upstream that failed (UF).
pub(crate) const CONNECT_FAILURE: u64 = 0x20;
/// Flag of a request that used up its attempts (URX).
pub(crate) const RETRY_LIMIT: u64 = 0x8000;
/// Flags of a request for which there is no route (NR) or no cluster (NC).
const NOT_FOUND: u64 = 0x100 | 0x100_0000;
/// Flags with which the proxy answers in the upstream's place, because nobody was reached.
const UNANSWERED: u64 = 0x2 // UH
    | CONNECT_FAILURE
    | 0x80 // UO
    | NOT_FOUND
    | 0x2000 // RLSE
    | 0x200_0000 // OM
    | 0x400_0000 // DF
    | 0x800_0000 // DO
    | 0x2000_0000; // UDO
/// Flags of answers that the proxy was told to give, and that no upstream could have bettered: RL, UAEX, IH.
const DECIDED: u64 = 0x800 | 0x1000 | 0x2_0000;

/// Returns the flags that a status code stands for by itself, so that `error.type` needs no word beside the code
/// (ST-3): the proxy has answered in the upstream's place, or has passed on the last answer of several attempts. A flag
/// that can also break an answer that has begun is among them only with the one code that the proxy answers when no
/// answer has begun.
#[inline]
fn told_by(status_code: u16) -> u64 {
    let ended = match status_code {
        // Below it, `local_reply_config` or another filter has put another code in the place of the proxy's own.
        500.. => UNANSWERED,
        404 => NOT_FOUND,
        // UC: either end of a tunnel ends it by closing the connection, and WebSocket has the server do so.
        101 => 0x40,
        // DPE
        400 => 0x4_0000,
        // UT, UMSDR, DT, SI: the caller has not sent all of its request in time.
        408 => 0x4 | 0x8_0000 | 0x40_0000 | 0x1_0000,
        _ => 0,
    };
    DECIDED | RETRY_LIMIT | ended
}

/// Returns true if a code stands in the place of the one that the proxy gives with these flags.
#[inline]
pub(crate) fn is_renamed(status_code: u16, flags: u64) -> bool {
    beyond(Some(status_code), flags) & UNANSWERED != 0
}

/// Returns true if the proxy itself failed to get an answer, as one of these flags says.
#[inline]
pub(crate) fn is_failure(flags: u64) -> bool {
    broken_by(flags & !(DECIDED | DOWNSTREAM_GONE)).is_some()
}

/// Returns the `error.type` of an exchange in which the proxy itself failed to get an answer, where no code above 499 tells
/// it: whatever code the caller was given, nobody has answered. With URX alone somebody has: the last try's answer is
/// passed on, and its code tells.
#[inline]
pub(crate) fn failure(status_code: Option<u16>, flags: u64) -> Option<&'static str> {
    broken_by(beyond(status_code, flags) & !DOWNSTREAM_GONE)
        .or_else(|| broken_by(flags & NOT_FOUND))
}

/// Returns the flags that say more than the status code of the response does, if there is a response.
#[inline]
pub(crate) fn beyond(status_code: Option<u16>, flags: u64) -> u64 {
    flags & !status_code.map_or(0, told_by)
}

/// Returns the `error.type` of the first flag that is set, from the most telling on.
#[inline]
pub(crate) fn broken_by(flags: u64) -> Option<&'static str> {
    if flags == 0 {
        return None;
    }
    FLAGS
        .iter()
        .filter(|flag| !flag.error_type.is_empty())
        .find(|flag| flags & flag.bit != 0)
        .map(|flag| flag.error_type)
}

/// Returns the names that the access log prints, with commas between them.
#[inline]
pub(crate) fn short_names(flags: u64) -> String {
    let mut names = String::new();
    for flag in FLAGS.iter().filter(|flag| flags & flag.bit != 0) {
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str(flag.short);
    }
    names
}

struct Flag {
    bit: u64,
    short: &'static str,
    // Empty for a flag that is no failure by itself.
    error_type: &'static str,
}

#[inline]
const fn flag(bit: u64, short: &'static str, error_type: &'static str) -> Flag {
    Flag {
        bit,
        short,
        error_type,
    }
}

static FLAGS: [Flag; 30] = [
    flag(0x2, "UH", "no_healthy_upstream"),
    flag(CONNECT_FAILURE, "UF", "upstream_connect_failure"),
    flag(0x80, "UO", "upstream_overflow"),
    flag(0x100, "NR", "no_route"),
    flag(0x100_0000, "NC", "no_cluster"),
    flag(RETRY_LIMIT, "URX", "retry_limit"),
    flag(0x4, "UT", "upstream_timeout"),
    flag(0x8_0000, "UMSDR", "upstream_timeout"),
    flag(0x40_0000, "DT", "upstream_timeout"),
    flag(0x40, "UC", "upstream_reset"),
    flag(0x10, "UR", "upstream_remote_reset"),
    flag(0x80_0000, "UPE", "upstream_protocol_error"),
    flag(0x400_0000, "DF", "dns_failure"),
    flag(0x8, "LR", "local_reset"),
    flag(0x4000, "DC", "downstream_reset"),
    flag(0x1000_0000, "DR", "downstream_reset"),
    flag(0x1_0000, "SI", "stream_idle_timeout"),
    flag(0x4_0000, "DPE", "downstream_protocol_error"),
    flag(0x2_0000, "IH", "downstream_protocol_error"),
    flag(0x800, "RL", "rate_limited"),
    flag(0x2000, "RLSE", "rate_limit_service_error"),
    flag(0x1000, "UAEX", "ext_authz_denied"),
    flag(0x200_0000, "OM", "overload_manager"),
    flag(0x800_0000, "DO", "overload_drop"),
    flag(0x2000_0000, "UDO", "overload_drop"),
    flag(0x1, "LH", ""),
    flag(0x200, "DI", ""),
    flag(0x400, "FI", ""),
    flag(0x10_0000, "RFCF", ""),
    flag(0x20_0000, "NFCF", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_3_names_each_flag_once() {
        let mut all = 0_u64;
        for flag in &FLAGS {
            assert_eq!(flag.bit.count_ones(), 1, "{}", flag.short);
            assert_eq!(all & flag.bit, 0, "{}", flag.short);
            all |= flag.bit;
            assert_eq!(short_names(flag.bit), flag.short);
            let expected = Some(flag.error_type).filter(|name| !name.is_empty());
            assert_eq!(broken_by(flag.bit), expected, "{}", flag.short);
        }
        assert_eq!(all, 0x3fff_ffff, "every bit that Envoy 1.40 sets");
        assert_eq!(short_names(0x8000 | 0x4), "URX,UT");
        assert_eq!(short_names(0), "");
    }
}
