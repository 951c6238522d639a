//! All charts of a document as one picture. Colours follow the reader's
//! light or dark scheme; each part names itself when pointed at.

use super::bars::Bars;
use super::compared::Compared;
use super::layers::By;
use super::live::Live;
use super::map::Map;
use super::{Document, Page};
use crate::chart::{Chart, Heading, Paint, STYLE, picture};

type Charts<'a> = Vec<Box<dyn Chart + 'a>>;

/// The charts of every method, as a file of its own.
pub fn svg(document: &Document<'_>) -> String {
    let mut charts: Charts<'_> = Vec::new();
    for page in &document.methods {
        let method = page.memory.method.name();
        let text = format!("{}, method {method}, {}", document.model, document.abi);
        charts.push(Box::new(Heading { text, paint: Paint::TITLE }));
        charts.extend(bars(document, page));
        charts.extend(plan(page));
        charts.extend(compared(page));
    }
    let label = format!("Memory of {}", document.model);
    picture(&label, &format!("<style>{STYLE}</style>\n"), &charts)
}

/// The charts of the plan of `page`, each a picture, to stand in a page that has
/// [`STYLE`]: on paper a page may end between them.
pub fn plan_charts(page: &Page<'_>) -> Vec<String> {
    let label = format!("Memory plan of method {}", page.memory.method.name());
    // A heading and its chart.
    plan(page).chunks(2).map(|charts| picture(&label, "", charts)).collect()
}

/// The bars of `page`, to stand in a page that has [`STYLE`].
pub fn bar_chart(document: &Document<'_>, page: &Page<'_>) -> String {
    let label = format!("Needs of method {}", page.memory.method.name());
    picture(&label, "", &bars(document, page))
}

/// The chart of what was measured of `page`, to stand in a page that has [`STYLE`].
pub fn compared_chart(page: &Page<'_>) -> String {
    let label = format!("Method {}, predicted and measured", page.memory.method.name());
    picture(&label, "", &compared(page))
}

fn bars<'a>(document: &Document<'a>, page: &Page<'_>) -> Charts<'a> {
    let mut charts: Charts<'a> = vec![
        Box::new(Heading::new("What each allocator needs")),
        Box::new(Bars::of_allocators(page, document.program)),
    ];
    if let (Some(fit), Some(target)) = (&page.fit, document.target) {
        let verdict = if fit.fits() { "Fits" } else { "Does NOT fit" };
        let heading = format!("{verdict} {} ({})", target.name, target.title);
        charts.push(Box::new(Heading::new(heading)));
        charts.push(Box::new(Bars::of_memories(fit)));
    }
    charts
}

fn plan<'a>(page: &'a Page<'_>) -> Charts<'a> {
    let mut charts: Charts<'a> = Vec::new();
    let by = [By::Operator, By::Module].into_iter();
    for by in by.filter(|by| *by == By::Operator || page.memory.has_modules()) {
        if let Some(live) = Live::new(page, by) {
            charts.push(Box::new(Heading::new(live.heading())));
            charts.push(Box::new(live));
        }
    }
    let maps = page.memory.plan.buffers.iter();
    for map in maps.filter_map(|buffer| Map::new(page.memory, buffer)) {
        charts.push(Box::new(Heading::new(map.heading())));
        charts.push(Box::new(map));
    }
    charts
}

fn compared(page: &Page<'_>) -> Charts<'static> {
    let chart = page.measured.and_then(Compared::new);
    let Some(chart) = chart else { return Vec::new() };
    vec![Box::new(Heading::new("Predicted and measured, by allocator")), Box::new(chart)]
}
