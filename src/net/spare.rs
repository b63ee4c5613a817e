//! Buffers that connections of one thread hand one another: most hold none most of the time (F10), and to ask the
//! allocator anew for each transaction costs more than to keep some.

use std::cell::RefCell;

use bytes::BytesMut;

/// Space in one.
pub(super) const BUFFER_BYTES: usize = 8 * 1024;
/// Kept by a thread at most.
const SPARE_MAX: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with at least [`BUFFER_BYTES`] of space.
pub(super) fn take() -> BytesMut {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(BUFFER_BYTES))
}

/// Takes a buffer that nobody needs; one that has grown, or has never had its space, is freed.
pub(super) fn give(mut buffer: BytesMut) {
    buffer.clear();
    if !buffer.try_reclaim(BUFFER_BYTES) || buffer.capacity() > 2 * BUFFER_BYTES {
        return;
    }
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < SPARE_MAX {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    #[test]
    fn a_buffer_that_was_read_out_comes_back_with_its_space() {
        let mut buffer = take();
        buffer.extend_from_slice(&[1; BUFFER_BYTES]);
        buffer.advance(BUFFER_BYTES);
        let there = buffer.as_ptr() as usize - BUFFER_BYTES;
        give(buffer);
        give(BytesMut::from(&b"short"[..]));
        give(BytesMut::with_capacity(10 * BUFFER_BYTES));
        let again = take();
        assert_eq!((again.as_ptr() as usize, again.len()), (there, 0));
        assert!(again.capacity() >= BUFFER_BYTES);
        assert_ne!(take().as_ptr() as usize, there);
    }
}
