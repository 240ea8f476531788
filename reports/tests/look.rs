//! Writes sample reports where a person can look at them: `target/tmp/report-*.html`.

mod sample;

use std::path::Path;

#[test]
fn sample_reports_can_be_looked_at() {
    for (name, run) in [
        ("valid", sample::valid(3_012)),
        ("invalid", sample::invalid(800)),
        ("unknown", sample::unknown(300)),
        ("crowded", sample::crowded(2_000)),
        ("long", sample::invalid(100_000)),
    ] {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.html"));
        std::fs::write(&path, wrack_reports::html(&run)).unwrap();
        assert!(path.exists());
        let links = wrack_reports::Links { report: path.to_str(), replay: Some(&run.replay) };
        println!("{}", wrack_reports::human(&run, &links));
    }
}
