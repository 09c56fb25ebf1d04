package mem_test

import (
	"testing"

	"keepwatch/store"
	"keepwatch/store/mem"
	"keepwatch/store/storetest"
)

func open(*testing.T) store.Store { return mem.New() }

func TestContract(t *testing.T) { storetest.Run(t, open) }

func TestRecords(t *testing.T) { storetest.RunRecords(t, open) }

func TestMail(t *testing.T) { storetest.RunMail(t, open) }

func TestDuties(t *testing.T) { storetest.RunDuties(t, open) }
