//! Metrics (`proxy_*_metric`): ids belong to the VM, values to the process.

use wasmtime::Linker;

use super::provide::provide;
use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;
use crate::vm_state::{Metric, MetricKind, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_define_metric", define, kind: u32, name: u32, name_size: u32, metric_out: u32);
    provide!(linker, "proxy_increment_metric", increment, metric: u32, amount: i64);
    provide!(linker, "proxy_record_metric", record, metric: u32, value: i64);
    provide!(linker, "proxy_get_metric", get, metric: u32, value_out: u32);
    Ok(())
}

/// Defines a metric and gives the guest its id in this VM (`proxy_define_metric`).
///
/// # Parameters
/// - `kind`: 0 counter, 1 gauge, 2 histogram.
/// - `name`, `name_size`: the name; Envoy writes `wasmcustom.` in front of it.
/// - `metric_out`: destination of the id (u32).
///
/// # Statuses
/// - OK: also for a known name, with another id for the same metric.
/// - BAD_ARGUMENT: no such kind.
/// - INVALID_MEMORY_ACCESS: the name or `metric_out` is outside the memory.
///
/// ```text
/// define(kind=1, name="q", name_size=1, metric_out=8), the first gauge      8: 05 00 00 00
/// ```
fn define(
    call: &mut HostCall<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    metric_out: u32,
) -> Answer {
    let name = call.read_text(name, name_size)?;
    let Some(kind) = MetricKind::from_wire(kind) else {
        return refuse(Status::BadArgument, format!("{kind} is no kind of metric"));
    };
    let state = call.state_mut();
    match kind {
        MetricKind::Counter => state.shared.define_counter(&name),
        MetricKind::Gauge => state.shared.define_gauge(&name),
        MetricKind::Histogram => state.shared.define_histogram(&name),
    }
    let id = state.metrics.define(Metric { kind, name });
    call.write_u32(metric_out, id)
}

/// Adds to a counter or a gauge (`proxy_increment_metric`).
///
/// # Parameters
/// - `metric`: the id.
/// - `amount`: a signed number.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such counter or gauge.
/// - BAD_ARGUMENT: an amount of 0 or less for a counter, or the id of a histogram.
fn increment(call: &mut HostCall<'_>, metric: u32, amount: i64) -> Answer {
    let state = call.state();
    match (MetricKind::of_id(metric), state.metrics.find(metric)) {
        (Some(MetricKind::Counter), Some(Metric { name, .. })) => match u64::try_from(amount) {
            Ok(amount @ 1..) => state.shared.add_to_counter(name, amount),
            _ => return refuse(Status::BadArgument, "a counter only grows"),
        },
        (Some(MetricKind::Gauge), Some(Metric { name, .. })) => {
            state.shared.add_to_gauge(name, amount)
        }
        (Some(MetricKind::Counter | MetricKind::Gauge), None) => return unknown(metric),
        _ => {
            return refuse(
                Status::BadArgument,
                "a histogram is recorded, not incremented",
            );
        }
    }
    Ok(())
}

/// Sets a gauge, records into a histogram, **adds** to a counter (`proxy_record_metric`).
///
/// # Parameters
/// - `metric`: the id.
/// - `value`: an unsigned number.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such metric.
fn record(call: &mut HostCall<'_>, metric: u32, value: i64) -> Answer {
    let state = call.state();
    let value = value.cast_unsigned();
    match state.metrics.find(metric) {
        Some(Metric {
            kind: MetricKind::Counter,
            name,
        }) => state.shared.add_to_counter(name, value),
        Some(Metric {
            kind: MetricKind::Gauge,
            name,
        }) => state.shared.set_gauge(name, value),
        Some(Metric {
            kind: MetricKind::Histogram,
            name,
        }) => state.shared.record(name, value),
        None => return unknown(metric),
    }
    Ok(())
}

/// Gives the guest the value of a counter or a gauge, over all VMs of the process (`proxy_get_metric`).
///
/// # Parameters
/// - `metric`: the id.
/// - `value_out`: destination of the value (u64).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such counter or gauge.
/// - BAD_ARGUMENT: the id of a histogram.
/// - INVALID_MEMORY_ACCESS: `value_out` is outside the memory.
fn get(call: &mut HostCall<'_>, metric: u32, value_out: u32) -> Answer {
    let state = call.state();
    let value = match (MetricKind::of_id(metric), state.metrics.find(metric)) {
        (Some(MetricKind::Counter), Some(Metric { name, .. })) => state.shared.counter(name),
        (Some(MetricKind::Gauge), Some(Metric { name, .. })) => state.shared.gauge(name),
        (Some(MetricKind::Counter | MetricKind::Gauge), None) => return unknown(metric),
        _ => return refuse(Status::BadArgument, "a histogram has no one value"),
    };
    call.write_u64(value_out, value.unwrap_or_default())
}

fn unknown(metric: u32) -> Answer {
    refuse(
        Status::NotFound,
        format!("this VM has defined no metric {metric}"),
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::{Guest, start};

    const IMPORTS: &str = r#"
        (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
        (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))
        (import "env" "proxy_get_metric" (func $get (param i32 i32) (result i32)))"#;

    /// The definitions of counter 4 "c", gauge 5 "g" and histogram 6 "h".
    const DEFINE: &str = "
        (call $check (call $define (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 8)) (i32.const 0))
        (call $check (i32.load (i32.const 8)) (i32.const 4))
        (call $check (call $define (i32.const 1) (i32.const 257) (i32.const 1) (i32.const 8)) (i32.const 0))
        (call $check (i32.load (i32.const 8)) (i32.const 5))
        (call $check (call $define (i32.const 2) (i32.const 258) (i32.const 1) (i32.const 8)) (i32.const 0))
        (call $check (i32.load (i32.const 8)) (i32.const 6))";

    fn run(body: &str) -> crate::Host {
        let body = format!("{DEFINE} {body}");
        start(&Guest {
            imports: IMPORTS,
            data: &[(256, "cgh")],
            on_configure: &body,
            ..Guest::default()
        })
    }

    #[test]
    fn adds_sets_and_records() {
        let host = run("
            (call $check (call $increment (i32.const 4) (i64.const 2)) (i32.const 0))
            (call $check (call $record (i32.const 4) (i64.const 3)) (i32.const 0))
            (call $check (call $record (i32.const 5) (i64.const 9)) (i32.const 0))
            (call $check (call $increment (i32.const 5) (i64.const -2)) (i32.const 0))
            (call $check (call $record (i32.const 6) (i64.const 40)) (i32.const 0))
            (call $check (call $get (i32.const 5) (i32.const 16)) (i32.const 0))
            (call $check (i32.wrap_i64 (i64.load (i32.const 16))) (i32.const 7))");
        let shared = host.shared();
        assert_eq!((shared.counter("c"), shared.gauge("g")), (Some(5), Some(7)));
        assert_eq!(shared.histogram("h"), Some(vec![40]));
    }

    #[test]
    fn refuses_as_envoy_does() {
        run("
            (call $check (call $define (i32.const 3) (i32.const 256) (i32.const 1) (i32.const 8)) (i32.const 2))
            (call $check (call $define (i32.const 0) (i32.const -1) (i32.const 1) (i32.const 8)) (i32.const 6))
            (call $check (call $define (i32.const 0) (i32.const 256) (i32.const 1) (i32.const -1)) (i32.const 6))
            (call $check (call $increment (i32.const 4) (i64.const 0)) (i32.const 2))
            (call $check (call $increment (i32.const 4) (i64.const -1)) (i32.const 2))
            (call $check (call $increment (i32.const 6) (i64.const 1)) (i32.const 2))
            (call $check (call $increment (i32.const 12) (i64.const 1)) (i32.const 1))
            (call $check (call $increment (i32.const 13) (i64.const 1)) (i32.const 1))
            (call $check (call $record (i32.const 10) (i64.const 1)) (i32.const 1))
            (call $check (call $get (i32.const 6) (i32.const 16)) (i32.const 2))
            (call $check (call $get (i32.const 12) (i32.const 16)) (i32.const 1))
            (call $check (call $get (i32.const 4) (i32.const -1)) (i32.const 6))");
    }
}
