//! The top level: what the scenario is about.

use crate::fields::Fields;
use crate::value;

/// What the scenario is about.
#[derive(Default)]
pub(crate) struct Heading {
    pub title: String,
    pub story: String,
    pub hypothesis: String,
    pub owner: String,
    pub tier: Option<u8>,
}

/// Reads the keys of the top level.
pub(crate) fn read(root: &mut Fields) -> Heading {
    Heading {
        title: root.read_required("title", value::words).unwrap_or_default(),
        story: root.read_required("story", value::words).unwrap_or_default(),
        hypothesis: root.read_required("hypothesis", value::words).unwrap_or_default(),
        owner: root.read("owner", value::words).unwrap_or_default(),
        tier: root.read("tier", |item| value::whole(item, 1, 3)).map(|tier| tier as u8),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn a_scenario_tells_what_it_is_about() {
        check("# title = \n", "missing key `title`\n`title` is required");
        check("story = «\" \"»", "`story`: an empty string\nsay something here");
    }
}
