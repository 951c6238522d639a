//! The part of XML Schema that the schema of JUnit XML is made of: elements with a sequence
//! of others, attributes, and texts (<https://www.w3.org/TR/xmlschema-1/>).

use roxmltree::{Document, Node};
use std::collections::BTreeMap;

/// Elements of a schema by their names.
pub struct Schema(BTreeMap<String, Element>);

#[derive(Default)]
struct Element {
    /// What may be in it, in this order: a name with the least and the most of it.
    sequence: Vec<(String, usize, usize)>,
    /// Attributes, and whether each must be there.
    attributes: BTreeMap<String, bool>,
    text: bool,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Panics
    /// It has something that is not read here.
    pub fn parse(text: &str) -> Self {
        let document = Document::parse(text).expect("XML");
        let elements = document.root_element().children().filter(Node::is_element);
        let element = |node: Node<'_, '_>| {
            assert_eq!(node.tag_name().name(), "element");
            (node.attribute("name").expect("a name").to_owned(), Element::read(node))
        };
        Schema(elements.map(element).collect())
    }

    /// What of `document` is not as the schema says.
    pub fn faults(&self, document: &Document<'_>) -> Vec<String> {
        let mut found = Vec::new();
        self.check(document.root_element(), &mut found);
        found
    }

    fn check(&self, node: Node<'_, '_>, found: &mut Vec<String>) {
        let name = node.tag_name().name();
        let Some(element) = self.0.get(name) else {
            return found.push(format!("<{name}> is none of the elements"));
        };
        for attribute in node.attributes().map(|attribute| attribute.name()) {
            if !element.attributes.contains_key(attribute) {
                found.push(format!("<{name}> has no attribute {attribute}"));
            }
        }
        let required = element.attributes.iter().filter(|(_, is_required)| **is_required);
        for (required, _) in required.filter(|(name, _)| !node.has_attribute(name.as_str())) {
            found.push(format!("<{name}> needs {required}"));
        }
        let texts = node.children().filter(|child| child.is_text());
        let mut texts = texts.filter_map(|child| child.text());
        if !element.text && texts.any(|text| !text.trim().is_empty()) {
            found.push(format!("text in <{name}>"));
        }
        let mut children = node.children().filter(Node::is_element).peekable();
        for (part, least, most) in &element.sequence {
            let mut count = 0;
            while let Some(child) = children.next_if(|child| child.has_tag_name(part.as_str())) {
                self.check(child, found);
                count += 1;
            }
            if count < *least || count > *most {
                found.push(format!("{count} <{part}> in <{name}>"));
            }
        }
        if let Some(other) = children.next() {
            found.push(format!("<{}> there in <{name}>", other.tag_name().name()));
        }
    }
}

impl Element {
    fn read(node: Node<'_, '_>) -> Self {
        let mut element = Element::default();
        if let Some(kind) = node.attribute("type") {
            assert_eq!(kind, "xs:string");
            element.text = true;
        }
        for part in node.descendants().skip(1).filter(Node::is_element) {
            match part.tag_name().name() {
                "complexType" => element.text |= part.attribute("mixed") == Some("true"),
                "sequence" => {}
                "element" => {
                    let name = part.attribute("ref").expect("a reference").to_owned();
                    let number = |name: &str| match part.attribute(name) {
                        None => 1,
                        Some("unbounded") => usize::MAX,
                        Some(number) => number.parse().expect("a number"),
                    };
                    element.sequence.push((name, number("minOccurs"), number("maxOccurs")));
                }
                "attribute" => {
                    assert_eq!(part.attribute("type"), Some("xs:string"));
                    let name = part.attribute("name").expect("a name").to_owned();
                    element.attributes.insert(name, part.attribute("use") == Some("required"));
                }
                other => panic!("<{other}> of XML Schema is not read here"),
            }
        }
        element
    }
}
