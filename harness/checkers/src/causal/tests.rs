use proptest::prelude::*;
use wrack_history::{Operation, Setting, Settings, Verdict};

use super::GUARANTEE;
use crate::story::{Case, history};

fn level(level: &str) -> Settings {
    Settings::default().with("level", Setting::Choice(level.into()))
}

/// Which of the levels hold.
fn levels(history: &str) -> [bool; 3] {
    ["cc", "ccv", "cm"].map(|name| {
        let judgement = Case::new("register", history).settings(level(name)).judge(&GUARANTEE);
        assert_ne!(judgement.verdict, Verdict::Unknown, "{judgement:?}");
        judgement.verdict == Verdict::Valid
    })
}

#[test]
fn writes_that_know_nothing_of_each_other_may_be_read_in_either_order() {
    let history = "p1@1 write x 1 1..2
                   p2@2 write x 2 1..2
                   p3@3 read  x - 3..4 1
                   p3@3 read  x - 5..6 2
                   p4@4 read  x - 3..4 2
                   p4@4 read  x - 5..6 1";
    Case::new("register", history).accepted_by(&GUARANTEE);
    assert_eq!(levels(history), [true, false, true]);
}

#[test]
fn who_knows_of_a_write_does_not_read_what_it_overwrote() {
    Case::new(
        "register",
        "p1@1 write x 1 1..2
         p2@2 read  x - 3..4 1
         p2@2 write x 2 5..6
         p3@3 read  x - 7..8 2
         p3@3 read  x - 9..10 1",
    )
    .rejected_by(
        &GUARANTEE,
        "WriteCORead: the second write overwrote the first, and is a cause of the read, which returned \
         the first: process 1 asked to write 1 of x and was told ok at 0.002 s, process 2 asked to \
         write 2 of x and was told ok at 0.006 s and process 3 read 1 of x at 0.010 s",
    );
}

/// Figure 3 of the paper, as far as it is about registers: (a) CM but not CCv, (b) CCv but not CM,
/// (c) both, but not sequentially consistent, (d) CC, but neither, (e) not CC.
#[test]
fn the_figures_of_the_paper_are_judged_as_the_paper_says() {
    let a = "p1@1 write x 1 1..2
             p1@1 read  x - 3..4 2
             p2@2 write x 2 1..2
             p2@2 read  x - 3..4 1";
    let b = "p1@1 write z 1 1..2
             p1@1 write x 1 3..4
             p1@1 write y 1 5..6
             p2@2 write x 2 1..2
             p2@2 read  z - 3..4
             p2@2 read  y - 5..6 1
             p2@2 read  x - 7..8 2";
    let c = "p1@1 write x 1 1..2
             p1@1 read  y - 3..4
             p1@1 write y 1 5..6
             p1@1 read  x - 7..8 1
             p2@2 write x 2 1..2
             p2@2 read  y - 3..4
             p2@2 write y 2 5..6
             p2@2 read  x - 7..8 2";
    let d = "p1@1 write x 1 1..2
             p2@2 write x 2 1..2
             p2@2 read  x - 3..4 1
             p2@2 read  x - 5..6 2";
    let e = "p1@1 write x 1 1..2
             p1@1 write y 1 3..4
             p2@2 read  y - 5..6 1
             p2@2 write x 2 7..8
             p3@3 read  x - 9..10 2
             p3@3 read  x - 11..12 1";
    assert_eq!(levels(a), [true, false, true], "a");
    assert_eq!(levels(b), [true, true, false], "b");
    assert_eq!(levels(c), [true, true, true], "c");
    assert_eq!(levels(d), [true, false, false], "d");
    assert_eq!(levels(e), [false, false, false], "e");
}

#[test]
fn a_value_from_nowhere_and_an_effect_before_its_cause_are_anomalies() {
    Case::new("register", "p1 read x - 1..2 7").rejected_by(
        &GUARANTEE,
        "ThinAirRead: the value was never written: process 1 read 7 of x at 0.002 s",
    );
    let judgement = Case::new(
        "register",
        "p1@1 read  x - 1..2 1
         p1@1 write y 1 3..4
         p2@2 read  y - 1..2 1
         p2@2 write x 1 3..4",
    )
    .judge(&GUARANTEE);
    assert!(judgement.anomalies[0].explanation.starts_with("CyclicCO: "), "{judgement:?}");
    assert_eq!(judgement.anomalies[0].operations, [0, 1, 2, 3]);
}

#[test]
fn a_write_in_doubt_is_before_nothing_but_its_readers() {
    let history = "p1@1 write x 1 1..?
                   p9@1 read  x - 3..4
                   p2@2 read  x - 3..4 1";
    Case::new("register", history).accepted_by(&GUARANTEE);
    let known =
        format!("{history}\n p2@2 write y 1 5..6\n p9@1 read y - 7..8 1\n p9@1 read x - 9..10");
    Case::new("register", &known).rejected_by(
        &GUARANTEE,
        "WriteCOInitRead: the write is a cause of the read, which returned the initial value: process \
         1 asked to write 1 of x and never learned the outcome and process 9 read nil of x at 0.010 s",
    );
}

#[test]
fn values_that_are_not_unique_cannot_be_judged() {
    Case::new("register", "p1 write x 1 1..2\n p2 write x 1 3..4")
        .unknown_to(&GUARANTEE, "x had the value 1 twice, so versions are not known");
}

/// The bad patterns word for word, over matrices.
struct Naive<'a> {
    operations: Vec<&'a Operation>,
    co: Vec<Vec<bool>>,
}

fn close(relation: &mut [Vec<bool>]) {
    for middle in 0..relation.len() {
        for from in 0..relation.len() {
            for to in 0..relation.len() {
                relation[from][to] |= relation[from][middle] && relation[middle][to];
            }
        }
    }
}

fn is_cyclic(relation: &[Vec<bool>]) -> bool {
    (0..relation.len()).any(|one| relation[one][one])
}

impl<'a> Naive<'a> {
    fn new(operations: &'a [Operation]) -> Self {
        let is_read_by_somebody = |write: &Operation| {
            operations.iter().any(|read| {
                read.function == "read" && read.key == write.key && read.result == write.argument
            })
        };
        let counts =
            |one: &&Operation| one.is_ok() || (one.function == "write" && is_read_by_somebody(one));
        let operations: Vec<&Operation> = operations.iter().filter(counts).collect();
        let mut this =
            Self { co: vec![vec![false; operations.len()]; operations.len()], operations };
        for one in 0..this.operations.len() {
            for other in 0..this.operations.len() {
                let (a, b) = (this.operations[one], this.operations[other]);
                this.co[one][other] =
                    (a.session == b.session && a.precedes(b)) || this.wrote(one, other);
            }
        }
        close(&mut this.co);
        this
    }

    fn is_write(&self, one: usize) -> bool {
        self.operations[one].function == "write"
    }

    fn same_key(&self, one: usize, other: usize) -> bool {
        self.operations[one].key == self.operations[other].key
    }

    /// Whether the read returned the write.
    fn wrote(&self, write: usize, read: usize) -> bool {
        let (w, r) = (self.operations[write], self.operations[read]);
        self.is_write(write) && !self.is_write(read) && w.key == r.key && w.argument == r.result
    }

    fn reads_initial(&self, read: usize) -> bool {
        !self.is_write(read) && self.operations[read].result.is_nil()
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.operations.len()
    }

    fn cc(&self) -> bool {
        let init = |read| {
            self.all().any(|write| {
                self.is_write(write) && self.same_key(write, read) && self.co[write][read]
            })
        };
        let overwritten = |read| {
            self.all().filter(|first| self.wrote(*first, read)).any(|first| {
                self.all().any(|second| {
                    second != first
                        && self.is_write(second)
                        && self.same_key(first, second)
                        && self.co[first][second]
                        && self.co[second][read]
                })
            })
        };
        let from_nowhere =
            |read| !self.reads_initial(read) && !self.all().any(|write| self.wrote(write, read));
        let mut reads = self.all().filter(|one| !self.is_write(*one));
        !is_cyclic(&self.co)
            && !reads.any(|read| {
                from_nowhere(read) || (self.reads_initial(read) && init(read)) || overwritten(read)
            })
    }

    fn ccv(&self) -> bool {
        let mut order = self.co.clone();
        for first in self.all().filter(|one| self.is_write(*one)) {
            for second in self.all().filter(|one| self.is_write(*one)) {
                let conflict = |read: usize| self.wrote(second, read) && self.co[first][read];
                if first != second && self.same_key(first, second) && self.all().any(conflict) {
                    order[first][second] = true;
                }
            }
        }
        close(&mut order);
        self.cc() && !is_cyclic(&order)
    }

    fn cm(&self) -> bool {
        self.cc() && self.all().all(|last| self.happened_before_is_sound(last))
    }

    fn happened_before_is_sound(&self, last: usize) -> bool {
        let upto = |one: usize| one == last || self.co[one][last];
        let mut order = vec![vec![false; self.operations.len()]; self.operations.len()];
        for one in self.all() {
            for other in self.all() {
                order[one][other] = self.co[one][other] && upto(other);
            }
        }
        let own = |read: usize| {
            let (read, last) = (self.operations[read], self.operations[last]);
            read.id == last.id || (read.session == last.session && read.precedes(last))
        };
        loop {
            close(&mut order);
            let mut grown = false;
            for read in self.all().filter(|one| !self.is_write(*one) && own(*one)) {
                for second in self.all().filter(|second| self.wrote(*second, read)) {
                    for first in self.all().filter(|one| self.is_write(*one)) {
                        let conflict = first != second && self.same_key(first, second);
                        if conflict && order[first][read] && !order[first][second] {
                            order[first][second] = true;
                            grown = true;
                        }
                    }
                }
            }
            if !grown {
                break;
            }
        }
        let init = |read: usize| {
            own(read)
                && self.reads_initial(read)
                && self.all().any(|write| {
                    self.is_write(write) && self.same_key(write, read) && order[write][read]
                })
        };
        !is_cyclic(&order) && !self.all().any(init)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6_000) })]

    #[test]
    fn clocks_find_what_the_definition_finds_over_matrices(
        raws in prop::collection::vec((0..3u32, any::<bool>(), any::<bool>(), any::<u8>()), 1..10),
    ) {
        let mut text = String::new();
        let writes = raws.iter().filter(|(_, read, ..)| !read).count() as u8;
        let mut value = 0;
        for (number, (session, read, key, choice)) in raws.iter().enumerate() {
            let (key, begin) = (if *key { "x" } else { "y" }, 2 * number);
            match read {
                false => {
                    value += 1;
                    let outcome = if choice % 5 == 0 { "info" } else { "" };
                    text += &format!(
                        "p{number}@{session} write {key} {value} {begin}..{} {outcome}\n",
                        begin + 1
                    );
                }
                true => {
                    let value = choice % (writes + 1);
                    let result = if value == 0 { String::new() } else { value.to_string() };
                    text += &format!("p{number}@{session} read {key} - {begin}..{} {result}\n", begin + 1);
                }
            }
        }
        let history = history(&text);
        let naive = Naive::new(&history.operations);
        prop_assert_eq!(levels(&text), [naive.cc(), naive.ccv(), naive.cm()], "{}", text);
    }
}
