//! The mouse: what is where on the screen, and what clicks, the wheel and
//! drawing do there.

use crate::app::{App, View};
use crate::columns::{Column, Order};
use crate::keys::Action;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// What is at a part of the screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Zone {
    /// The tab of a view.
    Tab(View),
    /// Rows of the view, from this one on.
    Rows(usize),
    /// The head of a column.
    Head(Column),
    /// Time from left to right; a lane of events, or a curve.
    Time(Option<usize>),
    /// So many instructions from left to right.
    Steps(usize),
    /// Entries of the list over the view, from this one on.
    Entries(usize),
}

/// Lines that a turn of the wheel goes.
const WHEEL: isize = 3;

impl App {
    /// Says what is at `area`.
    pub(crate) fn zone(&self, area: Rect, zone: Zone) {
        self.zones.borrow_mut().push((area, zone));
    }

    /// What is at a place, the topmost first.
    fn at(&self, event: &MouseEvent) -> Option<(Rect, Zone)> {
        let position = Position { x: event.column, y: event.row };
        let zones = self.zones.borrow();
        zones.iter().rev().find(|(area, _)| area.contains(position)).cloned()
    }

    /// Handles the mouse.
    pub fn mouse(&mut self, event: MouseEvent) {
        self.message = None;
        let place = self.at(&event);
        if self.picker.is_some() {
            return self.mouse_in_list(&event, place);
        }
        if self.help.is_some() {
            if matches!(event.kind, MouseEventKind::Down(_)) {
                self.help = None;
            }
            return;
        }
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(&event, place, 1),
            MouseEventKind::ScrollUp => self.wheel(&event, place, -1),
            MouseEventKind::ScrollLeft => self.act(Action::Pan(-1)),
            MouseEventKind::ScrollRight => self.act(Action::Pan(1)),
            MouseEventKind::Down(MouseButton::Left) => self.click(&event, place),
            MouseEventKind::Drag(MouseButton::Left) => self.draw_along(&event),
            MouseEventKind::Up(MouseButton::Left) => self.drawn(),
            MouseEventKind::Down(MouseButton::Right) => self.act(Action::Back),
            _ => {}
        }
    }

    fn mouse_in_list(&mut self, event: &MouseEvent, place: Option<(Rect, Zone)>) {
        let Some(picker) = &mut self.picker else { return };
        let last = picker.found.best.len().saturating_sub(1);
        match (event.kind, place) {
            (MouseEventKind::ScrollDown, _) => picker.cursor = (picker.cursor + 3).min(last),
            (MouseEventKind::ScrollUp, _) => picker.cursor = picker.cursor.saturating_sub(3),
            (MouseEventKind::Down(_), Some((area, Zone::Entries(first)))) => {
                picker.cursor = (first + usize::from(event.row - area.y)).min(last);
                self.choose();
            }
            (MouseEventKind::Down(_), _) => self.picker = None,
            _ => {}
        }
    }

    fn wheel(&mut self, event: &MouseEvent, place: Option<(Rect, Zone)>, direction: isize) {
        match place {
            Some((area, Zone::Time(_))) => {
                let tick = self.tick_at(area, event.column);
                self.zoom(-direction, Some(tick));
            }
            _ => self.act(Action::Move(direction * WHEEL)),
        }
    }

    fn click(&mut self, event: &MouseEvent, place: Option<(Rect, Zone)>) {
        let Some((area, zone)) = place else { return };
        let line = usize::from(event.row - area.y);
        match zone {
            Zone::Tab(view) => self.act(Action::Show(view)),
            Zone::Rows(first) => {
                let row = first + line;
                let again = row == self.selected();
                self.select(row);
                if again {
                    self.act(Action::Enter);
                }
            }
            Zone::Head(column) => {
                let order = self.wanted.order;
                self.sort(match order.column == Some(column) {
                    true => Order { ascending: !order.ascending, ..order },
                    false => Order::by(column),
                });
            }
            Zone::Time(lane) => {
                let tick = self.tick_at(area, event.column);
                self.drag = Some((tick, tick));
                let next = self.tick_at(area, event.column + 1).max(tick + 1);
                let spans = &self.session.spans;
                let span = lane.and_then(|lane| spans.covering(lane, tick, next));
                let step = span.and_then(|s| spans.site(s)).and_then(|s| self.session.step(s));
                self.step = step.unwrap_or(self.step);
            }
            Zone::Steps(count) => {
                let column = usize::from(event.column - area.x);
                self.select(column * count / usize::from(area.width).max(1));
            }
            Zone::Entries(_) => {}
        }
    }

    /// The mouse is drawn along the time.
    fn draw_along(&mut self, event: &MouseEvent) {
        let Some((first, _)) = self.drag else { return };
        let area = self
            .zones
            .borrow()
            .iter()
            .find_map(|(area, zone)| matches!(zone, Zone::Time(_)).then_some(*area));
        if let Some(area) = area {
            let column = event.column.clamp(area.x, (area.x + area.width).saturating_sub(1));
            self.drag = Some((first, self.tick_at(area, column)));
        }
    }

    /// What was drawn over is shown alone.
    fn drawn(&mut self) {
        let Some((a, b)) = self.drag.take() else { return };
        let (from, to) = (a.min(b), a.max(b));
        // A click is no line.
        if to - from > (self.window.1 - self.window.0) / 50 {
            self.window = (from, to.max(from + 16).min(self.session.spans.range.1));
        }
    }

    /// The tick at a column of an area that shows the time.
    fn tick_at(&self, area: Rect, column: u16) -> u64 {
        let (from, to) = self.window;
        let column = u128::from(column.saturating_sub(area.x));
        from + (u128::from(to - from) * column / u128::from(area.width.max(1))) as u64
    }
}
