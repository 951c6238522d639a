//! What is inside of a program's delegates, or of a payload that was taken out
//! of one.

use super::{Format, Printer, document_name, ethos_u, json, program, xnnpack};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::escape;
use et_inspector::ethos_u::{Unit, unit};
use et_schema::ethos_u::Payload as Vela;
use et_schema::pte::{Delegate, File, Method};
use et_schema::xnnpack::Payload;

impl Printer<'_> {
    /// What is inside a delegate, if its payload can be read.
    pub(super) fn graph(
        &self,
        file: &File<'_>,
        index: usize,
        delegate: &Delegate<'_>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if delegate.id() != et_schema::xnnpack::BACKEND {
            return Ok(());
        }
        match delegate.payload(file).and_then(Payload::parse) {
            Ok(payload) => {
                output.text(&format!("  delegate {index}: "))?;
                self.nodes(&xnnpack::Graph::new(payload), output)
            }
            Err(error) => {
                let error = escape(&error.to_string());
                output.text(&format!("  delegate {index}: cannot be read: {error}\n"))
            }
        }
    }

    /// The heading of a graph, and a line per node.
    fn nodes(&self, graph: &xnnpack::Graph<'_>, output: &mut Output) -> Result<(), Failure> {
        output.text(&format!("{}\n", graph.heading()))?;
        let hidden = self.hidden(graph.lines().len());
        for (node, line) in graph.lines().enumerate() {
            if node == hidden.start && !hidden.is_empty() {
                let more = program::count(hidden.len() as u64, "node");
                output.text(&format!("    ... {more} not shown; --all shows them\n"))?;
            }
            if !hidden.contains(&node) {
                output.text(&format!("    {node:<4} {line}\n"))?;
            }
        }
        Ok(())
    }

    /// The command stream of an Ethos-U delegate.
    pub(super) fn stream(
        &self,
        file: &File<'_>,
        method: &Method<'_>,
        index: usize,
        delegate: &Delegate<'_>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let unit = match unit(file, method, index, delegate) {
            Ok(unit) => unit,
            Err(finding) => return output.text(&format!("  {}\n", escape(&finding.title))),
        };
        output.text(&format!("  delegate {index}: "))?;
        self.operations(&unit, output)
    }

    /// The heading of a command stream, what is wrong with it, and a line per
    /// operation or word.
    fn operations(&self, unit: &Unit<'_>, output: &mut Output) -> Result<(), Failure> {
        output.text(&format!("{}\n", ethos_u::heading(unit)))?;
        for note in ethos_u::notes(unit) {
            output.text(&format!("    {note}\n"))?;
        }
        if self.args.registers {
            return ethos_u::registers(unit)
                .try_for_each(|line| output.text(&format!("    {line}\n")));
        }
        let operations = unit.stream.operations.iter().zip(&unit.estimates.operations);
        let hidden = self.hidden(operations.len());
        for (at, (operation, cost)) in operations.enumerate() {
            if at == hidden.start && !hidden.is_empty() {
                let more = program::count(hidden.len() as u64, "operation");
                output.text(&format!("    ... {more} not shown; --all shows them\n"))?;
            }
            if !hidden.contains(&at) {
                output.text(&format!("    {at:<4} {}\n", ethos_u::line(operation, cost)))?;
            }
        }
        Ok(())
    }

    /// An XNNPACK payload that was taken out of its program.
    pub(super) fn xnnpack(&self, bytes: &[u8]) -> Result<(), Failure> {
        let payload = Payload::parse(bytes).map_err(|e| Failure::input(&self.args.model, e))?;
        let graph = xnnpack::Graph::new(payload);
        self.payload(graph.json(), |output| self.nodes(&graph, output))
    }

    /// An Ethos-U payload that was taken out of its program.
    pub(super) fn ethos_u(&self, bytes: &[u8]) -> Result<(), Failure> {
        let payload = Vela::parse(bytes, |_| None);
        let unit = Unit::new(payload.map_err(|e| Failure::input(&self.args.model, e))?, None, "");
        self.payload(ethos_u::json(&unit), |output| self.operations(&unit, output))
    }

    fn payload(
        &self,
        document: serde_json::Value,
        text: impl FnOnce(&mut Output) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let path = &self.args.model;
        let mut output = self.global.open_output()?;
        if self.args.format == Format::Json {
            let document = serde_json::json!({
                "schema": "etinspect.show/1",
                "model": document_name(path),
                "format": "delegate payload",
                "payload": document,
            });
            json::write_document(&document, &mut output)?;
        } else {
            output.text(&format!("{}: ", escape(&path.to_string_lossy())))?;
            text(&mut output)?;
        }
        output.finish()
    }
}
