//! In which order the operations of a bulk request are carried out, so that each finds what it refers to (RFC 7644 3.7.1,
//! 3.7.2). Otherwise the order of the request is kept.

use std::collections::HashMap;

use super::parts::Part;

/// One step: the number of an operation, and why it cannot be carried out if it cannot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) part: usize,
    pub(super) blocked_by: Option<&'static str>,
}

/// Each operation comes after those that make what it refers to. Operations that refer to each other in a circle come
/// last and are refused: the RFC lets a service choose between 409 and making them in two steps.
pub(super) fn order(parts: &[Part]) -> Vec<Step> {
    let makers: HashMap<&str, usize> =
        parts.iter().enumerate().filter_map(|(number, part)| Some((part.bulk_id.as_deref()?, number))).collect();
    let mut waits: Vec<usize> = vec![0; parts.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
    for (number, part) in parts.iter().enumerate() {
        for maker in part.refers_to.iter().filter_map(|bulk_id| makers.get(bulk_id.as_str())) {
            waits[number] += 1;
            followers[*maker].push(number);
        }
    }
    let mut ready: std::collections::BTreeSet<usize> = (0..parts.len()).filter(|number| waits[*number] == 0).collect();
    let mut steps = Vec::with_capacity(parts.len());
    while let Some(part) = ready.pop_first() {
        steps.push(Step { part, blocked_by: None });
        for follower in &followers[part] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                ready.insert(*follower);
            }
        }
    }
    let circle = "The operation refers to itself, perhaps by way of others.";
    let left = (0..parts.len()).filter(|number| waits[*number] > 0);
    steps.extend(left.map(|part| Step { part, blocked_by: Some(circle) }));
    steps
}
