package vfork

const prlimit64 = 261
