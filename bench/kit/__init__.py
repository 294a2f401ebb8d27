"""What the benchmarks share: real images, real servers, a link with delay, fair measurements."""
