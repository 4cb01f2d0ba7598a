//! `sidespan check` on what `kubectl get telemetry,cm,deploy -A -o yaml` prints of a large cluster: processor time, memory, and
//! what is left of it on the screen.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sidespan::bench::cpu;
use sidespan_tests::effort::share;

const NAMESPACES: u64 = 100;
/// The length of a Deployment in bytes, as kubectl prints one with two containers, probes and a status.
const LENGTH: std::ops::Range<usize> = 3_200..3_600;
/// Peak of the whole program.
const MEMORY: u64 = 200 << 20;
/// The parser is not optimised in a debug build.
const TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 3 });

#[test]
fn a_cluster_of_five_thousand_deployments_is_read_in_bounded_time_and_memory() {
    let count = share(5_000, 1_500);
    let text = cluster(count);
    let last = text.lines().count();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cluster.yaml");
    fs::write(&file, &text).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .arg("check")
        .arg("--json")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let (mut peak, mut took) = (0, Duration::ZERO);
    while child.try_wait().expect("its state").is_none() {
        peak = peak.max(high_water_mark(&status).unwrap_or_default());
        // Not the time by the clock, which is longer where others have the processors.
        took = took.max(cpu::used(child.id()).unwrap_or_default());
        assert!(took < TIME, "{took:?}, and it still runs");
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("its output");
    let _ = writeln!(
        std::io::stderr(),
        "{count} Deployments, {} MiB: {took:?}, {} MiB",
        text.len() >> 20,
        peak >> 20
    );
    let is_read = took > Duration::ZERO;
    assert!(is_read || !cfg!(target_os = "linux"), "no time was read");
    assert!(peak > 0 || !cfg!(target_os = "linux"), "no peak");
    assert!(peak < MEMORY, "{} MiB", peak >> 20);

    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = report["istio"]["workloads"].as_array().expect("rows");
    // The mesh, the namespaces, and the one Deployment that differs.
    assert_eq!(rows.len() as u64, 1 + NAMESPACES + 1, "{rows:#?}");
    let odd: Vec<_> = rows
        .iter()
        .filter(|row| !row["workload"].is_null())
        .collect();
    assert_eq!(odd[0]["workload"], "Deployment app-7");
    let error = &report["files"][0]["errors"][0];
    assert_eq!(error["resource"], "Telemetry team-0/last");
    assert_eq!(error["line"], last, "{error}");
}

/// Returns the highest memory of a process so far, in bytes.
fn high_water_mark(status: &PathBuf) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}

fn cluster(count: u64) -> String {
    let mut text =
        String::from("apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: \"\"\nitems:\n");
    text.push_str(
        "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: istio\n    namespace: istio-system\n  data:\n    mesh: |-\n      \
         defaultConfig:\n        tracing:\n          sampling: 3\n",
    );
    for number in 0..count {
        let before = text.len();
        deployment(&mut text, number);
        let length = text.len() - before;
        assert!(LENGTH.contains(&length), "{length} bytes");
    }
    text.push_str(
        "- apiVersion: telemetry.istio.io/v1\n  kind: Telemetry\n  metadata:\n    name: last\n    namespace: team-0\n  spec:\n    \
         tracing:\n    - randomSamplingPercentage: 500\n",
    );
    text
}

fn deployment(text: &mut String, number: u64) {
    let namespace = number % NAMESPACES;
    let annotation = match number {
        7 => "\n          proxy.istio.io/config: '{\"tracing\": {\"sampling\": 50}}'",
        _ => "",
    };
    let container = |text: &mut String, name: &str| {
        let _ = write!(
            text,
            "        - name: {name}
          image: registry.example.com/team-{namespace}/{name}-{number}:1.{number}.0
          imagePullPolicy: IfNotPresent
          args:
          - --listen=:8080
          - --log-level=info
          env:
          - name: LOG_FORMAT
            value: json
          - name: DATABASE_HOST
            value: postgres.team-{namespace}.svc.cluster.local
          - name: POD_NAME
            valueFrom:
              fieldRef:
                apiVersion: v1
                fieldPath: metadata.name
          ports:
          - containerPort: 8080
            name: http
            protocol: TCP
          livenessProbe:
            failureThreshold: 3
            httpGet:
              path: /healthz
              port: http
              scheme: HTTP
            initialDelaySeconds: 10
            periodSeconds: 10
            successThreshold: 1
            timeoutSeconds: 1
          resources:
            limits:
              cpu: 500m
              memory: 256Mi
            requests:
              cpu: 100m
              memory: 128Mi
"
        );
    };
    let _ = write!(
        text,
        "- apiVersion: apps/v1
  kind: Deployment
  metadata:
    annotations:
      deployment.kubernetes.io/revision: \"{revision}\"
    creationTimestamp: \"2025-03-01T08:00:00Z\"
    generation: 4
    labels:
      app.kubernetes.io/name: app-{number}
      app.kubernetes.io/part-of: shop
    name: app-{number}
    namespace: team-{namespace}
    resourceVersion: \"{version}\"
    uid: 2b1f7a0e-0000-4000-8000-{number:012}
  spec:
    progressDeadlineSeconds: 600
    replicas: 2
    revisionHistoryLimit: 10
    selector:
      matchLabels:
        app: app-{number}
    strategy:
      rollingUpdate:
        maxSurge: 25%
        maxUnavailable: 25%
      type: RollingUpdate
    template:
      metadata:
        annotations:
          prometheus.io/scrape: \"true\"{annotation}
        labels:
          app: app-{number}
          version: v1
      spec:
        containers:
",
        revision = number % 9,
        version = 100_000 + number,
    );
    container(text, "server");
    container(text, "worker");
    let _ = write!(
        text,
        "        dnsPolicy: ClusterFirst
        restartPolicy: Always
        schedulerName: default-scheduler
        securityContext: {{}}
        terminationGracePeriodSeconds: 30
  status:
    availableReplicas: 2
    conditions:
    - lastTransitionTime: \"2025-03-01T08:00:10Z\"
      lastUpdateTime: \"2025-03-01T08:00:10Z\"
      message: Deployment has minimum availability.
      reason: MinimumReplicasAvailable
      status: \"True\"
      type: Available
    observedGeneration: 4
    readyReplicas: 2
    replicas: 2
    updatedReplicas: 2
"
    );
}
