package vfork

const prlimit64 = 302
