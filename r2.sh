cd /tmp/w/h8; export CARGO_TARGET_DIR=/tmp/w/h8/target CARGO_INCREMENTAL=1
nice -n -10 cargo test --offline --config 'profile.test.opt-level=0' --config 'profile.test.debug=0' -p wrack-runner -p wrack --lib --test suite -j2 early follow > /tmp/w/h8/r.out 2>&1; echo "rc $?" >> r.out
