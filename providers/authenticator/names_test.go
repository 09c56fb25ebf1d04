package authenticator

import (
	"testing"

	"keepwatch"
)

// TestNamesOfOtherAlphabets: two people whose names have no Latin letter are two
// people, whose passwords are asked about one by one.
func TestNamesOfOtherAlphabets(t *testing.T) {
	d := &desk{}
	k := keeper(t, d, func(c *Config) {
		c.People = []keepwatch.Person{
			{Name: "Иван", Role: keepwatch.RoleAdmin, Devices: []keepwatch.Device{{Name: "phone 1", Platform: "ios", Account: "icloud"}}},
			{Name: "Пётр", Role: keepwatch.RoleAdmin, Devices: []keepwatch.Device{{Name: "phone 2", Platform: "ios", Account: "icloud"}}},
		}
	})
	list, err := k.Custodies()
	if err != nil || len(list) != 3 || list[1].Custody.Owner == list[2].Custody.Owner {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestAccountThatIsNotNamed: each sort of phone has one place for its backup, whose
// password is asked about though keepwatch.yaml does not name it.
func TestAccountThatIsNotNamed(t *testing.T) {
	k := keeper(t, &desk{}, func(c *Config) {
		c.People = []keepwatch.Person{{Name: "Alis", Role: keepwatch.RoleAdmin, Devices: []keepwatch.Device{{Name: "a", Platform: "ios"}, {Name: "b", Platform: "android"}, {Name: "c", Platform: "ios", Account: "none"}}}}
	})
	list, err := k.Custodies()
	if err != nil || len(list) != 3 || list[1].Custody.Name != "alis-icloud" || list[2].Custody.Name != "alis-microsoft" {
		t.Errorf("%+v, %v", list, err)
	}
}
