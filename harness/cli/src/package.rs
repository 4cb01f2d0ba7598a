//! `sidespan package`: puts a filter into an image that every Istio agent takes, without Docker.
//!
//! ```text
//!   proof       loads and configures the module on the built-in host, and sends one request through it
//!   image       manifest, configuration and the one layer, each as bytes with its digest
//!   layout      the image as a folder or a tar archive of the OCI image layout
//!   reference   the name that the image gets in a registry
//!   built       reads a layout again, for `sidespan check --image`
//! ```
//!
//! An agent of Istio reads several kinds of images and refuses others, some only on some machines. The one written here is
//! the one that all of them read: a single manifest without an index, of media type OCI, with one layer of type
//! `tar+gzip` that holds `plugin.wasm` alone, and a configuration for linux/amd64.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::embedded::FILTER;
use crate::output;

mod built;
mod image;
mod layout;
mod proof;
mod reference;

pub use built::Built;
use image::{Digest, Image, Labels};
use reference::Reference;
pub(crate) use reference::judge_pulled;

/// Puts the filter into an image for Istio's `oci://`, and says the line that pushes it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct PackageArgs {
    /// The folder of the image layout, which a name that ends in .tar makes an archive; what an earlier run wrote there is
    /// replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Another module in place of the built-in filter
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The JSON of pluginConfig with which the module is tried; {} where nothing is said
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The name in the registry, with or without a tag; without one it is the program's version
    #[arg(long, value_name = "REGISTRY/NAME", default_value = reference::PLACEHOLDER)]
    pub image: Reference,
    /// Print one JSON object: {"digest", "module", "reference", "url", "out", "push"}
    #[arg(long)]
    pub json: bool,
}

/// What was written, as it is told.
#[derive(Debug, serde::Serialize)]
struct Written {
    /// The digest of the manifest: what `url` and `sha256` of a WasmPlugin are pinned by.
    digest: Digest,
    /// The digest of the module, which `sidespan --version` says of the built-in one.
    module: Digest,
    /// The image's name with its tag.
    reference: String,
    /// What goes into a WasmPlugin.
    url: String,
    out: PathBuf,
    /// Commands, each of which pushes the image; one is enough.
    push: Vec<String>,
}

/// Tries the module and writes the image. The exit code is 0, or 1 where the module would not run in a proxy.
///
/// # Errors
/// When a file cannot be read or written, or when something else than an image is in the way.
pub fn run(args: &PackageArgs) -> anyhow::Result<ExitCode> {
    let wasm = match &args.module {
        Some(file) => read(file)?,
        None => FILTER.to_vec(),
    };
    let configuration = match &args.config {
        Some(file) => read(file)?,
        None => b"{}".to_vec(),
    };
    let name = args.module.as_deref().unwrap_or(Path::new("the filter"));
    if let Err(refusal) = proof::runs(&wasm, &configuration) {
        output::tell(format_args!("error: {}: {refusal}", name.display()));
        return Ok(ExitCode::FAILURE);
    }
    let labels = match &args.module {
        Some(file) => Labels::of_file(file),
        None => Labels::of_the_filter(),
    };
    let image = Image::of(&wasm, labels);
    layout::write(&image, &args.out, args.image.tag())
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let written = Written::of(&image, args);
    let text = match args.json {
        true => serde_json::to_string(&written)? + "\n",
        false => written.text(args.image.is_placeholder()),
    };
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

impl Written {
    fn of(image: &Image, args: &PackageArgs) -> Self {
        let digest = image.manifest.digest();
        Self {
            url: format!("oci://{}@{digest}", args.image.name()),
            reference: args.image.whole(),
            module: image.module,
            push: push(&args.out, &args.image),
            out: args.out.clone(),
            digest,
        }
    }

    fn text(&self, is_placeholder: bool) -> String {
        let cure = match is_placeholder {
            true => "\n(--image REGISTRY/NAME writes the name of your registry into these lines)\n",
            false => "",
        };
        format!(
            "{}\n  manifest  {}\n  module    {}\n\nIn the WasmPlugin:\n  url: {}\n\nPush it with one of\n  {}\n{cure}",
            self.out.display(),
            self.digest,
            self.module,
            self.url,
            self.push.join("\n  "),
        )
    }
}

/// Returns the commands that push what was written. `crane` reads folders alone: an archive is an image of Docker's to it.
fn push(out: &Path, image: &Reference) -> Vec<String> {
    let (out, tag, whole) = (out.display(), image.tag(), image.whole());
    let mut commands = Vec::new();
    if layout::is_archive(out.to_string().as_ref()) {
        commands.push(format!(
            "skopeo copy oci-archive:{out}:{tag} docker://{whole}"
        ));
    } else {
        commands.push(format!("crane push {out} {whole}"));
        commands.push(format!("skopeo copy oci:{out}:{tag} docker://{whole}"));
    }
    commands.push(format!("oras cp --from-oci-layout {out}:{tag} {whole}"));
    commands
}

const EXAMPLES: &str = "\
Examples:
  sidespan package --out image --image registry.example.com/mesh/sidespan-filter
  sidespan package --out filter.tar --module my-filter.wasm --config plugin.json
  sidespan package --out image --json | jq -r .url
  kubectl kustomize istio | sidespan check --image image -
                                             is this the image that the manifest is pinned by?

The module is first loaded, configured and given one request on the built-in host: a proxy answers 500 to every request \
where a module does not load, whatever failStrategy says, and 503 where it traps.

The same program writes the same bytes each time. A WasmPlugin is pinned by the manifest's digest, in url or sha256; \
agents refuse the digest of an index and of the module.

Exit codes: 0 written, 1 the module would not run in a proxy, 2 a file cannot be read or written.";

#[cfg(test)]
mod tests;
