//! Presets of `--only`: the candidates of one question, few enough for three minutes.

/// A named choice of candidates.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) candidates: &'static [&'static str],
}

/// All presets. Their names are no beginnings of a candidate's name, except `least`, which is both.
pub(super) const PRESETS: [Preset; 5] = [
    Preset {
        name: "sampled",
        candidates: &[
            "native-otel",
            "native-otel-512",
            "native-zipkin",
            "least-sampled",
            "sidespan-100-w3c",
        ],
    },
    Preset {
        name: "unsampled",
        candidates: &[
            "native-otel",
            "least-unsampled",
            "least-unsampled-by-name",
            "sidespan-0-w3c-no-keep",
        ],
    },
    Preset {
        name: "keep",
        candidates: &["native-otel", "least-keep", "sidespan-0-w3c-keep"],
    },
    Preset {
        name: "least",
        candidates: &[
            "no-op",
            "least-sampled",
            "least-unsampled",
            "least-unsampled-by-name",
            "least-keep",
        ],
    },
    Preset {
        name: "claims",
        candidates: &[
            "native-otel",
            "native-otel-512",
            "native-zipkin",
            "no-op",
            "least-sampled",
            "least-unsampled",
            "least-unsampled-by-name",
            "least-keep",
            "sidespan-100-w3c",
            "sidespan-100-default",
            "sidespan-0-w3c-no-keep",
            "sidespan-0-w3c-keep",
        ],
    },
];

/// Returns the preset of this name.
pub(super) fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
