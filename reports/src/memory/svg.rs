//! All charts of a document as one picture, or each as one of its own. Colours follow
//! the reader's light or dark scheme; each part names itself when pointed at.

use super::bars::Bars;
use super::board::Board;
use super::compared::Compared;
use super::layers::By;
use super::live::Live;
use super::map::Map;
use super::{Document, Page};
use crate::chart::{Chart, Heading, Paint, STYLE, picture};

/// Charts with what is said above each.
type Charts<'a> = Vec<(String, Box<dyn Chart + 'a>)>;

/// A chart as a picture, to stand in a page that has [`STYLE`].
pub struct Figure {
    /// What is said above it.
    pub heading: String,
    /// The picture.
    pub svg: String,
    /// Class of what it stands in: a narrow screen shows a `board` as wide as itself.
    pub class: &'static str,
}

/// The charts of every method, as a file of its own.
pub fn svg(document: &Document<'_>) -> String {
    let mut charts: Vec<Box<dyn Chart + '_>> = Vec::new();
    for page in &document.methods {
        let method = page.memory.method.name();
        let text = format!("{}, method {method}, {}", document.model, document.abi);
        charts.push(Box::new(Heading { text, paint: Paint::TITLE }));
        let all = board(document, page).into_iter().chain(allocators(document, page));
        for (heading, chart) in all.chain(plan(page)).chain(compared(page)) {
            charts.push(Box::new(Heading::new(heading)));
            charts.push(chart);
        }
    }
    let label = format!("Memory of {}", document.model);
    picture(&label, &format!("<style>\n{STYLE}</style>\n"), &charts)
}

/// The memories of the target, with what `page` takes of them.
pub fn board_figures(document: &Document<'_>, page: &Page<'_>) -> Vec<Figure> {
    let figures = figures(page, board(document, page)).into_iter();
    figures.map(|figure| Figure { class: "board", ..figure }).collect()
}

/// What each allocator of `page` needs.
pub fn allocator_figures(document: &Document<'_>, page: &Page<'_>) -> Vec<Figure> {
    figures(page, allocators(document, page))
}

/// The plan of `page`: on paper a page may end between them.
pub fn plan_figures(page: &Page<'_>) -> Vec<Figure> {
    figures(page, plan(page))
}

/// What was measured of `page`.
pub fn compared_figures(page: &Page<'_>) -> Vec<Figure> {
    figures(page, compared(page))
}

fn figures(page: &Page<'_>, charts: Charts<'_>) -> Vec<Figure> {
    let method = page.memory.method.name();
    let figure = |(heading, chart): (String, Box<dyn Chart + '_>)| {
        let label = format!("{heading}, method {method}");
        Figure { svg: picture(&label, "", &[chart]), heading, class: "chart" }
    };
    charts.into_iter().map(figure).collect()
}

fn board<'a>(document: &Document<'a>, page: &Page<'_>) -> Charts<'a> {
    let chart = Board::new(page, document.target);
    let (Some(chart), Some(fit), Some(target)) = (chart, &page.fit, document.target) else {
        return Vec::new();
    };
    let verdict = if fit.fits() { "Fits" } else { "Does NOT fit" };
    vec![(format!("{verdict} {} ({})", target.name, target.title), Box::new(chart))]
}

fn allocators<'a>(document: &Document<'a>, page: &Page<'_>) -> Charts<'a> {
    let chart = Bars::of_allocators(page, document.program);
    vec![("What each allocator needs".to_owned(), Box::new(chart))]
}

fn plan<'a>(page: &'a Page<'_>) -> Charts<'a> {
    let mut charts: Charts<'a> = Vec::new();
    let by = [By::Operator, By::Module].into_iter();
    for by in by.filter(|by| *by == By::Operator || page.memory.has_modules()) {
        if let Some(live) = Live::new(page, by) {
            charts.push((live.heading().to_owned(), Box::new(live)));
        }
    }
    let maps = page.memory.plan.buffers.iter();
    for map in maps.filter_map(|buffer| Map::new(page.memory, buffer)) {
        charts.push((map.heading(), Box::new(map)));
    }
    charts
}

fn compared(page: &Page<'_>) -> Charts<'static> {
    let chart = page.measured.and_then(Compared::new);
    let chart = chart.map(|chart| -> Box<dyn Chart> { Box::new(chart) });
    let heading = "Predicted and measured, by allocator".to_owned();
    chart.map(|chart| (heading, chart)).into_iter().collect()
}
