package graphtest

// organization is what is known of the tenant; it is a list of one.
func (c *call) organization() answer {
	if no, ok := c.allowed("Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	o := c.n.dir.org
	verified := []any{}
	for i, d := range o.all() {
		verified = append(verified, map[string]any{"name": d, "isInitial": d == o.Initial, "isDefault": i == 0, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"})
	}
	return c.objects("organization", []map[string]any{{
		"id": c.n.opts.ID, "displayName": orNull(o.Name), "createdDateTime": dated(o.Created), "technicalNotificationMails": texts(o.Mails), "businessPhones": texts(o.Phones),
		"securityComplianceNotificationMails": []any{}, "securityComplianceNotificationPhones": []any{}, "marketingNotificationEmails": []any{}, "verifiedDomains": verified,
		"street": nil, "city": nil, "postalCode": nil, "country": nil, "countryLetterCode": nil, "assignedPlans": []any{}, "provisionedPlans": []any{}, "tenantType": "AAD", "onPremisesSyncEnabled": nil,
	}})
}

// all are the domains of one's own, and the one that Microsoft gave.
func (o Organisation) all() []string {
	list := append([]string{}, o.Domains...)
	if o.Initial != "" {
		list = append(list, o.Initial)
	}
	return list
}

func texts(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func (c *call) domains() answer {
	if no, ok := c.allowed("Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	var all []map[string]any
	for i, d := range c.n.dir.org.all() {
		all = append(all, map[string]any{
			"id": d, "authenticationType": "Managed", "availabilityStatus": nil, "isAdminManaged": true, "isDefault": i == 0, "isInitial": d == c.n.dir.org.Initial, "isRoot": true, "isVerified": true,
			"supportedServices": []any{"Email"}, "passwordNotificationWindowInDays": nil, "passwordValidityPeriodInDays": nil, "state": nil,
		})
	}
	return c.objects("domain", all)
}

func (c *call) skus() answer {
	if no, ok := c.allowed("LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Organization.Read.All", "Directory.Read.All"); !ok {
		return no
	}
	var all []map[string]any
	for _, s := range c.n.dir.org.Sold {
		all = append(all, map[string]any{
			"id": c.n.opts.ID + "_" + guidOf(s.SKU), "skuId": guidOf(s.SKU), "skuPartNumber": s.SKU, "accountId": c.n.opts.ID, "accountName": orNull(c.n.dir.org.Name), "appliesTo": "User", "capabilityStatus": s.Status,
			"consumedUnits": s.Used, "prepaidUnits": map[string]any{"enabled": s.Total, "suspended": 0, "warning": 0, "lockedOut": 0}, "servicePlans": []any{}, "subscriptionIds": []any{guidOf("subscription " + s.SKU)},
		})
	}
	return c.objects("subscribedSku", all)
}

func (c *call) subscriptions() answer {
	if no, ok := c.allowed("Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All"); !ok {
		return no
	}
	var all []map[string]any
	for _, s := range c.n.dir.org.Sold {
		all = append(all, map[string]any{
			"id": guidOf("subscription " + s.SKU), "commerceSubscriptionId": guidOf("commerce " + s.SKU), "skuId": guidOf(s.SKU), "skuPartNumber": s.SKU, "status": s.Status, "totalLicenses": s.Total, "isTrial": s.Trial,
			"createdDateTime": "2024-02-01T00:00:00Z", "nextLifecycleDateTime": dated(s.Renews), "ownerId": nil, "ownerTenantId": orNull(s.Partner), "ownerType": nil, "serviceStatus": []any{},
		})
	}
	return c.objects("companySubscription", all)
}
