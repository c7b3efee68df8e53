"""Compare versions of tickets: pure, no disk, no network, no clock, no Trio."""
