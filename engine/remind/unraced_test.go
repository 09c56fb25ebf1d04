//go:build !race

package remind_test

const raced = false
