//! Protocol 3 messages over byte buffers. Knows neither SQL nor sockets.

pub mod sqlstate;
