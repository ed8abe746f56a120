package ptyio

// MaxCanonical is unused where there are no terminals.
const MaxCanonical = 4095

const bsd = false
