// Package secret handles bytes that must not show: passwords, codes, keys.
//
// A [Ref] says where a secret comes from; it may be printed and stored. Reading
// it gives a [Value], which prints as [secret] whatever one does with it; its
// bytes come out through [Value.Bytes] alone. A [Mask] takes live values out of
// what is written to logs, recordings and errors, however the stream is cut.
//
// It is not a vault: values lie in memory as they are, until [Value.Wipe].
package secret

// Shown is what is printed in the place of a secret.
const Shown = "[secret]"
