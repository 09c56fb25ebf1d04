// Package check is strict.
package check
