//! A disk: an append log of records and named cells, with an explicit durability line.
//!
//! What a node appends is on the disk at once but durable only when a sync that was asked for
//! afterwards comes back. A crash keeps what is durable; what else it keeps (a lucky unsynced
//! record, a torn last one) is the engine's choice. After a failed sync everything that was not
//! durable is gone (Rebello et al., "Can Applications Recover from fsync Failures?", 2020), and
//! every sync still in flight fails with it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a disk refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DiskError {
    /// The device reported an error; what was not durable is gone.
    #[error("input/output error")]
    Io,
    /// The capacity is used up; what did not fit is gone.
    #[error("the disk is full")]
    Full,
    /// The bytes are not a record: torn or rotten.
    #[error("corrupt record")]
    Corrupt,
}

/// What a crash leaves of the records that were not durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrashTail {
    /// So many of the first unsynced records survive by luck.
    pub lucky_records: usize,
    /// So many bytes of the next one survive: a torn record; 0 for none.
    pub torn_bytes: usize,
}

/// What becomes of a record long after it was written well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The bit of this number flips, modulo their number.
    Flipped(u64),
    /// Only so many of its first bytes, modulo their number, ever reached the device; zeros stand in place
    /// of the others.
    Torn(u64),
    /// Another record was written to its place, whole.
    Overwritten {
        /// That other one.
        by: usize,
    },
}

/// A cell: what it holds, and what it would hold after a crash.
#[derive(Clone, Debug, Default)]
struct Cell {
    current: Option<Vec<u8>>,
    durable: Option<Vec<u8>>,
}

/// The disk of one node. Nodes read it; only effects change it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    bytes: Vec<u8>,
    /// End of each record in `bytes`, which stay below 4 GiB.
    ends: Vec<u32>,
    /// Records before this one survive a crash.
    durable: usize,
    /// Records that were discarded since the disk was new.
    discarded: usize,
    cells: BTreeMap<&'static str, Cell>,
    /// Capacity in bytes, if it is limited.
    capacity: Option<usize>,
    /// Whether something did not fit since the last sync.
    overflowed: bool,
}

/// What the log held after a boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<R> {
    /// The records up to the first that cannot be read.
    pub records: Vec<R>,
    /// Whether there was one: a torn or rotten tail, which the node must truncate before it
    /// appends again.
    pub torn: bool,
}

impl Disk {
    /// Number of records, durable or not.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of records that survive a crash for certain.
    pub fn durable_len(&self) -> usize {
        self.durable
    }

    /// The bytes of a record, as they lie on the device.
    pub fn record(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        Some(&self.bytes[self.start_of(index)..end as usize])
    }

    /// Reads the whole log, as a node does when it boots.
    pub fn recover<R: DeserializeOwned>(&self) -> Recovered<R> {
        let mut records = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            let bytes = self.record(index).expect("the index is below the length");
            match read_at(self.discarded + index, bytes) {
                Ok(record) => records.push(record),
                Err(_) => {
                    return Recovered { records, torn: true };
                }
            }
        }
        Recovered { records, torn: false }
    }

    /// Reads a named cell; `None` if it was never written.
    pub fn cell<V: DeserializeOwned>(&self, name: &str) -> Result<Option<V>, DiskError> {
        match self.cells.get(name).and_then(|cell| cell.current.as_deref()) {
            Some(bytes) => read(bytes).map(Some),
            None => Ok(None),
        }
    }

    /// So many bytes fit beyond what the disk holds now; any number if absent.
    pub(crate) fn limit(&mut self, spare: Option<usize>) {
        self.capacity = spare.map(|spare| self.bytes.len() + spare);
    }

    fn start_of(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] as usize }
    }

    fn fits(&mut self, bytes: usize) -> bool {
        let used = self.bytes.len() + bytes;
        let fits = self.capacity.is_none_or(|capacity| used <= capacity);
        self.overflowed |= !fits;
        fits
    }

    /// Appends a framed record; it is not durable yet.
    #[inline(always)]
    pub fn append(&mut self, record: &[u8]) {
        if self.fits(record.len()) {
            let (start, place) = (self.bytes.len(), self.discarded + self.ends.len());
            self.bytes.extend_from_slice(record);
            seal(place, &mut self.bytes[start..]);
            self.push_end();
        }
    }

    fn push_end(&mut self) {
        let end = u32::try_from(self.bytes.len()).expect("a simulated disk is below 4 GiB");
        self.ends.push(end);
    }

    /// Writes a cell; it is not durable yet.
    pub fn put(&mut self, name: &'static str, value: &[u8]) {
        if self.fits(value.len()) {
            self.cells.entry(name).or_default().current = Some(value.to_vec());
        }
    }

    /// Keeps the first `records` only. It is durable at once, as a shorter length of a file is.
    pub fn truncate(&mut self, records: usize) {
        if records < self.ends.len() {
            self.bytes.truncate(self.start_of(records));
            self.ends.truncate(records);
            self.durable = self.durable.min(records);
        }
    }

    /// Forgets the first `records`. It is durable at once, as the removal of an old segment's file
    /// is; those behind keep their order and are counted from 0 again.
    pub fn discard(&mut self, records: usize) {
        let records = records.min(self.ends.len());
        let start = self.start_of(records);
        self.bytes.drain(..start);
        self.ends.drain(..records);
        self.ends.iter_mut().for_each(|end| *end -= start as u32);
        self.durable = self.durable.saturating_sub(records);
        self.discarded += records;
    }

    /// What a sync that is asked for now will make durable.
    #[inline(always)]
    pub fn sync_point(&mut self) -> SyncPoint {
        let mut cells = Vec::new();
        for (name, cell) in &self.cells {
            if cell.current != cell.durable {
                cells.push((*name, cell.current.clone()));
            }
        }
        let overflowed = std::mem::take(&mut self.overflowed);
        SyncPoint { records: self.discarded + self.ends.len(), cells, overflowed }
    }

    /// A sync came back: what stood before it is durable.
    #[inline(always)]
    pub fn make_durable(&mut self, point: SyncPoint) {
        let records = point.records.saturating_sub(self.discarded);
        self.durable = self.durable.max(records.min(self.ends.len()));
        for (name, value) in point.cells {
            self.cells.entry(name).or_default().durable = value;
        }
    }

    /// A record is damaged: whoever reads it next finds it corrupt. Says whether it is another one now.
    pub fn damage(&mut self, index: usize, damage: Damage) -> bool {
        let Some(record) = self.record(index) else {
            return false;
        };
        let mut damaged = record.to_vec();
        match damage {
            Damage::Flipped(bit) => {
                let bit = (bit % (record.len() as u64 * 8)) as usize;
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
            Damage::Torn(bytes) => damaged[(bytes % record.len() as u64) as usize..].fill(0),
            Damage::Overwritten { by } => damaged = self.record(by).unwrap_or(record).to_vec(),
        }
        let is_another = damaged != record;
        let (start, old_len, new_len) = (self.start_of(index), record.len(), damaged.len());
        drop(self.bytes.splice(start..start + old_len, damaged));
        for end in &mut self.ends[index..] {
            *end = *end - old_len as u32 + new_len as u32;
        }
        is_another
    }

    /// The disk is replaced by an empty one of the same kind. Returns how many records and cells
    /// were on it.
    pub fn replace(&mut self) -> usize {
        let held = self.ends.len() + self.cells.len();
        *self = Self { capacity: self.capacity, ..Self::default() };
        held
    }

    /// Number of records and cells that a crash would lose.
    pub fn unsynced(&self) -> usize {
        let cells = self.cells.values().filter(|cell| cell.current != cell.durable).count();
        self.ends.len() - self.durable + cells
    }

    /// A crash, or a failed sync with an empty tail. Returns how many records and cells were lost.
    pub fn crash(&mut self, tail: CrashTail) -> usize {
        let before = self.unsynced();
        let lucky = self.durable + tail.lucky_records.min(self.ends.len() - self.durable);
        let start = self.start_of(lucky);
        let torn = self.record(lucky).map_or(0, |next| tail.torn_bytes.min(next.len() - 1));
        self.bytes.truncate(start + torn);
        self.ends.truncate(lucky);
        if torn > 0 {
            self.push_end();
        }
        self.durable = self.ends.len();
        for cell in self.cells.values_mut() {
            cell.current.clone_from(&cell.durable);
        }
        self.overflowed = false;
        before - tail.lucky_records.min(before)
    }
}

/// What a sync makes durable when it comes back.
#[derive(Clone, Debug)]
pub struct SyncPoint {
    /// Counted from when the disk was new, discarded ones included.
    records: usize,
    cells: Vec<(&'static str, Option<Vec<u8>>)>,
    /// Whether something did not fit: the sync must fail with [`DiskError::Full`].
    pub overflowed: bool,
}

/// Bytes of the checksum in front of a record.
const CHECKSUM_BYTES: usize = 4;

/// Appends by slices, where `postcard::to_extend` goes byte by byte.
struct Appending<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        match bytes {
            // Most numbers are small.
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends the content in postcard.
pub(crate) fn encode(content: &impl Serialize, into: &mut Vec<u8>) {
    postcard::serialize_with_flavor(content, Appending(into)).expect("it can be serialised");
}

/// Frames a record: a checksum, then its content in postcard.
pub fn frame(record: &impl Serialize, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&[0; CHECKSUM_BYTES]);
    encode(record, into);
    let sum = checksum(&into[start + CHECKSUM_BYTES..]);
    into[start..start + CHECKSUM_BYTES].copy_from_slice(&sum);
}

/// Reads a framed record, and notices when it is torn or rotten.
pub fn read<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, DiskError> {
    let (sum, content) = bytes.split_first_chunk().ok_or(DiskError::Corrupt)?;
    read_summed(*sum, content)
}

/// Reads the framed record at a place of a log, and notices too when it belongs elsewhere.
fn read_at<R: DeserializeOwned>(place: usize, bytes: &[u8]) -> Result<R, DiskError> {
    let (sealed, content) = bytes.split_first_chunk().ok_or(DiskError::Corrupt)?;
    let mut sum = *sealed;
    seal(place, &mut sum);
    read_summed(sum, content)
}

fn read_summed<R: DeserializeOwned>(
    sum: [u8; CHECKSUM_BYTES],
    content: &[u8],
) -> Result<R, DiskError> {
    if sum != checksum(content) {
        return Err(DiskError::Corrupt);
    }
    postcard::from_bytes(content).map_err(|_| DiskError::Corrupt)
}

/// Makes the checksum of a record one of its place in the log, too, and the other way round.
fn seal(place: usize, record: &mut [u8]) {
    let of_place = crate::chance::finish(place as u64) as u32;
    if let Some(sum) = record.first_chunk_mut::<CHECKSUM_BYTES>() {
        *sum = (u32::from_le_bytes(*sum) ^ of_place).to_le_bytes();
    }
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut digest = crate::chance::Digest::default();
    std::hash::Hasher::write(&mut digest, content);
    (crate::chance::finish(digest.0) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame(&number, &mut bytes);
        bytes
    }

    fn disk(records: u64, durable: u64) -> Disk {
        let mut disk = Disk::default();
        for number in 0..records {
            if number == durable {
                let point = disk.sync_point();
                disk.make_durable(point);
            }
            disk.append(&framed(number * 1_000));
        }
        disk
    }

    #[test]
    fn a_crash_keeps_what_is_durable_and_loses_the_rest() {
        let mut disk = disk(5, 3);
        assert_eq!(disk.crash(CrashTail::default()), 2);
        let kept = disk.recover::<u64>();
        assert_eq!(kept, Recovered { records: vec![0, 1_000, 2_000], torn: false });
    }

    #[test]
    fn a_lucky_record_survives_and_a_torn_one_is_noticed() {
        let mut disk = disk(6, 3);
        assert_eq!(disk.crash(CrashTail { lucky_records: 1, torn_bytes: 5 }), 2);
        let kept = disk.recover::<u64>();
        assert_eq!(kept, Recovered { records: vec![0, 1_000, 2_000, 3_000], torn: true });
        disk.truncate(4);
        assert!(!disk.recover::<u64>().torn);
    }

    #[test]
    fn a_sync_covers_what_was_appended_before_it_was_asked_for() {
        let mut disk = Disk::default();
        disk.append(&framed(1));
        let point = disk.sync_point();
        disk.append(&framed(2));
        disk.make_durable(point);
        assert_eq!((disk.len(), disk.durable_len()), (2, 1));
    }

    #[test]
    fn what_is_discarded_is_gone_and_a_sync_under_way_covers_no_more_than_it_did() {
        let mut disk = disk(4, 2);
        let point = disk.sync_point();
        disk.append(&framed(4_000));
        disk.discard(3);
        assert_eq!(disk.recover::<u64>().records, vec![3_000, 4_000]);
        assert_eq!(disk.durable_len(), 0);
        disk.make_durable(point);
        disk.crash(CrashTail::default());
        assert_eq!(disk.recover::<u64>().records, vec![3_000]);
    }

    #[test]
    fn a_damaged_record_and_what_follows_it_cannot_be_read() {
        let mut disk = disk(8, 8);
        disk.discard(2);
        let flipped = [0, 31, 32, 1_000_003].map(Damage::Flipped);
        let torn = [0, 3, 5, 1_000_001].map(Damage::Torn);
        let overwritten = [0, 2, 5].map(|by| Damage::Overwritten { by });
        for damage in flipped.into_iter().chain(torn).chain(overwritten) {
            let mut damaged = disk.clone();
            assert!(damaged.damage(3, damage), "{damage:?}");
            let kept = damaged.recover::<u64>();
            assert_eq!(kept, Recovered { records: vec![2_000, 3_000, 4_000], torn: true });
            damaged.truncate(3);
            damaged.append(&framed(1));
            assert_eq!(damaged.recover::<u64>().records, [2_000, 3_000, 4_000, 1], "{damage:?}");
        }
    }

    #[test]
    fn damage_that_changes_nothing_is_none() {
        let mut disk = disk(5, 5);
        let before = disk.clone();
        assert!(!disk.damage(5, Damage::Flipped(0)));
        assert!(!disk.damage(3, Damage::Overwritten { by: 3 }));
        assert_eq!(disk.bytes, before.bytes);
    }

    #[test]
    fn records_behind_one_that_was_overwritten_stay_where_they_belong() {
        let mut disk = Disk::default();
        ["a longer one", "b", "c"].iter().for_each(|text| {
            let mut bytes = Vec::new();
            frame(text, &mut bytes);
            disk.append(&bytes);
        });
        assert!(disk.damage(1, Damage::Overwritten { by: 0 }));
        assert_eq!(disk.record(1), disk.record(0));
        assert_eq!(read_at::<String>(2, disk.record(2).unwrap()), Ok("c".into()));
    }

    #[test]
    fn a_disk_that_is_replaced_is_empty() {
        let mut disk = disk(5, 3);
        disk.put("vote", &framed(1));
        assert_eq!(disk.replace(), 6);
        assert!(disk.is_empty() && disk.durable_len() == 0);
        assert_eq!(disk.cell::<u64>("vote"), Ok(None));
    }

    #[test]
    fn a_cell_goes_back_to_its_durable_value() {
        let mut disk = Disk::default();
        disk.put("vote", &framed(1));
        let point = disk.sync_point();
        disk.put("vote", &framed(2));
        disk.make_durable(point);
        assert_eq!(disk.cell::<u64>("vote"), Ok(Some(2)));
        disk.crash(CrashTail::default());
        assert_eq!(disk.cell::<u64>("vote"), Ok(Some(1)));
    }

    #[test]
    fn what_does_not_fit_is_gone_and_fails_the_next_sync() {
        let mut disk = Disk { capacity: Some(12), ..Disk::default() };
        disk.append(&framed(1));
        disk.append(&framed(2));
        disk.append(&framed(3));
        assert!(disk.sync_point().overflowed);
        assert!(!disk.sync_point().overflowed);
        assert_eq!(disk.recover::<u64>().records, vec![1, 2]);
    }

    #[test]
    fn a_value_of_every_kind_reads_back_from_a_record() {
        use wrack_history::Value;
        let list = Value::list([Value::Nil, true.into(), (-7).into(), "a".into()]);
        let mut bytes = Vec::new();
        frame(&list, &mut bytes);
        assert_eq!(read::<Value>(&bytes), Ok(list));
    }
}
