// Package keepwatch is the vocabulary of the bot: the nouns that every other
// package speaks, and the pure rules about them.
//
// It imports the standard library only, does no I/O, starts no goroutine and
// declares no interface. Whoever knows this package can read any other one
// without opening a third, because a package imports only this one and its own
// parent folders.
//
// The nouns, in the order in which they meet: a [Source] needs a backup; a
// [Request] asks for one; a [Run] makes it, step by step; an [Archive] is what
// comes of it; a [Verification] says what was proved about it; [Keep] decides
// which archives stay. A [Message] is what a person is told, and every
// [Button] in it is the text of a command.
package keepwatch
