//! Language and SDK of a module: what its tools wrote into it, or else the marks that each leaves.

use super::binary::Binary;

/// The origin of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Origin {
    /// The language; `None` where nothing tells it.
    pub(super) language: Option<&'static str>,
    /// The SDK of proxy-wasm; `None` for the raw ABI, or where nothing tells it.
    pub(super) sdk: Option<Sdk>,
}

/// The SDKs of proxy-wasm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) enum Sdk {
    /// The crate `proxy-wasm`.
    #[serde(rename = "proxy-wasm-rust-sdk")]
    Rust,
    /// `proxy-wasm-cpp-sdk`.
    #[serde(rename = "proxy-wasm-cpp-sdk")]
    Cpp,
    /// `proxy-wasm-go-sdk`, of the project proxy-wasm or of its first authors.
    #[serde(rename = "proxy-wasm-go-sdk")]
    Go,
    /// The npm package `@solo-io/proxy-runtime`.
    #[serde(rename = "@solo-io/proxy-runtime")]
    AssemblyScript,
}

impl Sdk {
    /// Returns the name under which the SDK is published.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "proxy-wasm-rust-sdk",
            Self::Cpp => "proxy-wasm-cpp-sdk",
            Self::Go => "proxy-wasm-go-sdk",
            Self::AssemblyScript => "@solo-io/proxy-runtime",
        }
    }
}

impl Origin {
    /// Finds out the origin of a module.
    pub(super) fn of(binary: &Binary<'_>) -> Self {
        let language = language(binary);
        let sdk = SDKS.iter().find(|(of, _, marks)| {
            language == Some(*of) && marks.iter().any(|mark| holds(binary, mark))
        });
        Self {
            language,
            sdk: sdk.map(|(_, sdk, _)| *sdk),
        }
    }
}

/// A language, and what gives it away: languages or tools of the section `producers` that begin so, or parts of the names
/// of functions and sections, or texts of the module. Of several marks one is enough.
struct Language {
    name: &'static str,
    producers: &'static [&'static str],
    marks: &'static [&'static [u8]],
}

/// The languages, those first that are compiled by way of another's tools: TinyGo's runtime names C, and Rust's C11.
const LANGUAGES: &[Language] = &[
    Language {
        name: "TinyGo",
        producers: &["TinyGo"],
        marks: &[b"tinygo"],
    },
    Language {
        name: "Go",
        producers: &["Go"],
        marks: &[b"_rt0_wasm", b"Go buildinf:", b"go:buildid"],
    },
    Language {
        name: "Rust",
        producers: &["Rust", "rustc"],
        marks: &[b"/rustc/"],
    },
    Language {
        // Names of its library's files are kept as UTF-16.
        name: "AssemblyScript",
        producers: &["AssemblyScript"],
        marks: &[b"~\0l\0i\0b\0/\0"],
    },
    Language {
        name: "Zig",
        producers: &["Zig", "zig"],
        marks: &[],
    },
    Language {
        name: "C++",
        producers: &["C_plus_plus"],
        marks: &[b"emscripten_metadata", b"St9exception", b"11RootContext"],
    },
    Language {
        name: "C",
        producers: &["C89", "C99", "C11", "C17", "C23", "clang"],
        marks: &[],
    },
];

/// Marks of each SDK, in names of functions or in texts of the module; of several, one is enough.
const SDKS: &[(&str, Sdk, &[&[u8]])] = &[
    // Functions under their mangled names, or the path of a source file in the text of a panic.
    ("Rust", Sdk::Rust, &[b"10proxy_wasm", b"proxy-wasm-0."]),
    // Its base class in run-time type information, or in a message.
    ("C++", Sdk::Cpp, &[b"RootContext"]),
    (
        "Go",
        Sdk::Go,
        &[b"proxy-wasm-go-sdk", b"proxywasm.RootContext"],
    ),
    (
        "TinyGo",
        Sdk::Go,
        &[
            b"proxy-wasm-go-sdk",
            b"proxywasm.RootContext",
            b"proxywasm/",
        ],
    ),
    (
        "AssemblyScript",
        Sdk::AssemblyScript,
        &[b"r\0o\0o\0t\0_\0i\0d\0"],
    ),
];

fn language(binary: &Binary<'_>) -> Option<&'static str> {
    let is_of = |language: &&Language| {
        let mut tools = binary.producers.iter();
        tools.any(|(tool, _)| language.producers.iter().any(|name| tool.starts_with(name)))
            || language.marks.iter().any(|mark| holds(binary, mark))
    };
    LANGUAGES.iter().find(is_of).map(|language| language.name)
}

/// Returns true if the name of any function or section or any text of the module holds these bytes.
fn holds(binary: &Binary<'_>, mark: &[u8]) -> bool {
    let finder = memchr::memmem::Finder::new(mark);
    let names = binary.function_names.iter().map(|name| name.as_bytes());
    let mut places = names.chain(binary.texts.iter().copied());
    places.any(|place| finder.find(place).is_some())
}
