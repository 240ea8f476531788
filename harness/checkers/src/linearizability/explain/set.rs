//! What contradicts itself in a set.

use wrack_history::duration::seconds;
use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::linearizability::set::{expects, leaves};
use crate::words::done_at;

impl<'a> Story<'a> {
    pub(super) fn set(&self) -> Option<Told<'a>> {
        let phases = |function: &str| matches!(function, "add" | "read");
        if !self.small.iter().all(|operation| phases(&operation.function)) {
            return self.unchanged();
        }
        self.unchanged()
            .or_else(|| self.twice())
            .or_else(|| self.never_added())
            .or_else(|| self.not_found())
            .or_else(|| self.found_and_lost())
            .or_else(|| self.found_out_of_order())
    }

    /// Reads, with what they found.
    fn reads(&self) -> impl Iterator<Item = (&'a Operation, &'a [Value])> {
        let reads = self.small.iter();
        let reads = reads.filter(|operation| operation.is_ok() && operation.function == "read");
        reads.map(|read| (read, read.result.as_list().unwrap_or_default()))
    }

    fn adds(&self) -> impl Iterator<Item = (&'a Operation, &'a Value)> {
        let adds = self.small.iter();
        let adds = adds.filter(|operation| operation.function == "add");
        adds.map(|add| (add, &add.argument))
    }

    fn reader(&self, read: &Operation) -> String {
        let full = self.full(read);
        let key = crate::words::of(full);
        format!("the read{key} by process {} at {}", full.process, done_at(full))
    }

    /// An element was found to be there or not, though the other was so before, and nothing changed it.
    fn unchanged(&self) -> Option<Told<'a>> {
        self.small.iter().find_map(|finder| {
            let found = expects(finder)?;
            let element = &finder.argument;
            let turns = |one: &Operation| {
                one.argument == *element
                    && leaves(one) == Some(found)
                    && one.outcome != Outcome::Fail
                    && one.id != finder.id
            };
            let apart = |from: &Operation| {
                let mut all = self.whole.iter().filter(|one| turns(one));
                all.all(|one| one.precedes(from) || finder.precedes(one))
            };
            let knows = |one: &&Operation| {
                let after = leaves(one).or_else(|| expects(one));
                one.argument == *element && after == Some(!found) && one.precedes(finder)
            };
            let text = |because: String| {
                let turned = if found { "added" } else { "removed" };
                format!("{}, but {because}, and nobody {turned} it since", self.sentence(finder))
            };
            if let Some(known) = self.small.iter().filter(knows).find(|one| apart(one)) {
                let because = match leaves(known) {
                    Some(_) => {
                        format!(
                            "{} had completed at {}",
                            self.noun(known),
                            done_at(self.full(known))
                        )
                    }
                    None => self.sentence(known),
                };
                let because = format!("{because}, before that began");
                return told(text(because), [known, finder]);
            }
            let at_first = self.initial.as_list().unwrap_or_default().contains(element);
            let mut all = self.whole.iter().filter(|one| turns(one));
            if at_first == found || !all.all(|one| finder.precedes(one)) {
                return None;
            }
            let there = if at_first { "was" } else { "was not" };
            told(text(format!("{element} {there} there at first")), [finder])
        })
    }

    fn twice(&self) -> Option<Told<'a>> {
        self.reads().find_map(|(read, found)| {
            let mut sorted: Vec<&Value> = found.iter().collect();
            sorted.sort();
            let twice = sorted.windows(2).find(|pair| pair[0] == pair[1])?;
            let text = format!("{} found {} twice", self.reader(read), twice[0]);
            told(text, [read])
        })
    }

    fn never_added(&self) -> Option<Told<'a>> {
        let adds = |element: &Value| {
            let adds = self.whole.iter().copied();
            let element = element.clone();
            adds.filter(move |add| add.function == "add" && add.argument == element)
        };
        self.reads().find_map(|(read, found)| {
            let late = |add: &Operation| add.outcome == Outcome::Fail || read.precedes(add);
            let element = found.iter().find(|element| adds(element).all(late))?;
            let why = match adds(element).next() {
                None => "which nobody ever added".to_owned(),
                Some(add) if add.outcome == Outcome::Fail => {
                    format!("but {} had failed", self.noun(add))
                }
                Some(add) => format!(
                    "but {} was invoked only at {}, after that",
                    self.noun(add),
                    seconds(add.invoke.ns),
                ),
            };
            let text = format!("{} found {element}, {why}", self.reader(read));
            told(text, [read].into_iter().chain(adds(element).next()))
        })
    }

    fn not_found(&self) -> Option<Told<'a>> {
        self.reads().find_map(|(read, found)| {
            let missing = |(add, element): &(&Operation, &Value)| {
                add.precedes(read) && !found.contains(element)
            };
            let (add, element) = self.adds().find(missing)?;
            let text = format!(
                "{} did not find {element}, but {} had completed at {}, before that began",
                self.reader(read),
                self.noun(add),
                done_at(self.full(add)),
            );
            told(text, [add, read])
        })
    }

    fn found_and_lost(&self) -> Option<Told<'a>> {
        self.reads().find_map(|(later, found)| {
            let (earlier, element) = self.reads().find_map(|(earlier, before)| {
                let lost = before.iter().find(|element| !found.contains(element))?;
                earlier.precedes(later).then_some((earlier, lost))
            })?;
            let text = format!(
                "{} did not find {element}, but {} had found it before that began",
                self.reader(later),
                self.reader(earlier),
            );
            let add = self.adds().find(|(_, added)| *added == element);
            told(text, [earlier, later].into_iter().chain(add.map(|(add, _)| add)))
        })
    }

    /// Found what was added later without what was added before; or two reads, each without
    /// something that the other found.
    fn found_out_of_order(&self) -> Option<Told<'a>> {
        self.reads()
            .find_map(|(read, found)| {
                let (early, late) = self.adds().find_map(|(early, missing)| {
                    let later = |(late, there): &(&Operation, &Value)| {
                        early.precedes(late) && found.contains(there) && !found.contains(missing)
                    };
                    Some((early, self.adds().find(later)?.0))
                })?;
                let text = format!(
                    "{} found {} and not {}, but {} had completed at {}, before {} began",
                    self.reader(read),
                    late.argument,
                    early.argument,
                    self.noun(early),
                    done_at(self.full(early)),
                    self.noun(late),
                );
                told(text, [early, late, read])
            })
            .or_else(|| self.crossed())
    }

    fn crossed(&self) -> Option<Told<'a>> {
        self.reads().find_map(|(one, found)| {
            self.reads().find_map(|(other, others)| {
                let mine = found.iter().find(|element| !others.contains(element))?;
                let theirs = others.iter().find(|element| !found.contains(element))?;
                let text = format!(
                    "{} found {mine} and not {theirs}, but {} found {theirs} and not {mine}: \
                     whichever was added first, one of them is wrong",
                    self.reader(one),
                    self.reader(other),
                );
                let both = |(_, element): &(&Operation, &Value)| [mine, theirs].contains(element);
                let adds = self.adds().filter(both).map(|(add, _)| add);
                told(text, [one, other].into_iter().chain(adds))
            })
        })
    }
}
