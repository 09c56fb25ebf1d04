package mem_test

import (
	"testing"

	"keepwatch/store"
	"keepwatch/store/mem"
	"keepwatch/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return mem.New() })
}
