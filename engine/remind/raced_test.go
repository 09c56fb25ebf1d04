//go:build race

package remind_test

// raced: the race detector makes these tests ten times slower, so that some of them
// go on for less long.
const raced = true
