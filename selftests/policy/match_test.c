// SPDX-License-Identifier: GPL-2.0
/* Who is whose twin, and what root and the host may write. */
#include "policy_test.h"

static struct nic_candidate emulated_nic(void)
{
	return (struct nic_candidate){
		.mac = TEST_MAC,
		.ethernet = true,
		.pci = true,
		.root_bus = true,
		.class = 0x0200,
		.subvendor = 0x1af4,
		.subdevice = 0x1100,
	};
}

static void emulated_nic_of_the_same_mac_is_the_twin(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_candidate nic = emulated_nic();

	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_TWIN);
	vif.type = NIC_TYPE_ABSENT;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_TWIN);
	nic.subvendor = 0x5853;
	nic.subdevice = 0x0001;
	nic.pcie = true;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_TWIN);
}

static void each_missing_trait_makes_it_a_stranger(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_candidate nic;

	nic = emulated_nic();
	nic.mac[5] ^= 1;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	nic = emulated_nic();
	nic.ethernet = false;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	nic = emulated_nic();
	nic.pci = false;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	nic = emulated_nic();
	nic.root_bus = false;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	nic = emulated_nic();
	nic.class = 0x0280;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
}

static void row25_type_vif_vetoes_whatever_the_nic_says(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	struct nic_candidate nic = emulated_nic();

	vif.type = NIC_TYPE_VIF;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
}

static void row24_express_card_of_a_strange_subsystem_is_in_doubt(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	struct nic_candidate nic = emulated_nic();

	nic.subvendor = 0x8086;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_TWIN);
	nic.pcie = true;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_DOUBT);
}

static void row24_second_nic_of_the_same_mac_is_in_doubt(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_candidate nic = emulated_nic();

	vif.sure = true;
	EXPECT(nic_match_rival(&vif, &nic) == NIC_MATCH_DOUBT);
	nic.subvendor = 0x8086;
	EXPECT(nic_match_rival(&vif, &nic) == NIC_MATCH_NO);
	vif.sure = false;
	EXPECT(nic_match_rival(&vif, &nic) == NIC_MATCH_DOUBT);
}

static void broken_mac_or_type_has_no_twin(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	struct nic_candidate nic = emulated_nic();

	vif.mac_ok = false;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	vif.mac_ok = true;
	vif.type = NIC_TYPE_BROKEN;
	EXPECT(nic_match(&vif, &nic) == NIC_MATCH_NO);
	EXPECT(!ask(NIC_HIDE, &vif, NIC_EV_POST_INIT).actions);
}

static void type_is_parsed_strictly(void)
{
	EXPECT(nic_vif_type_parse(NULL) == NIC_TYPE_ABSENT);
	EXPECT(nic_vif_type_parse("vif") == NIC_TYPE_VIF);
	EXPECT(nic_vif_type_parse("vif_ioemu") == NIC_TYPE_IOEMU);
	EXPECT(nic_vif_type_parse("") == NIC_TYPE_BROKEN);
	EXPECT(nic_vif_type_parse("vif ") == NIC_TYPE_BROKEN);
	EXPECT(nic_vif_type_parse("VIF") == NIC_TYPE_BROKEN);
}

static void policy_is_parsed_strictly(void)
{
	EXPECT(nic_policy_parse("auto") == NIC_AUTO);
	EXPECT(nic_policy_parse("keep") == NIC_KEEP);
	EXPECT(nic_policy_parse("hide\n") == NIC_HIDE);
	EXPECT(nic_policy_parse("unplug") == NIC_UNPLUG);
	EXPECT(nic_policy_parse("") == -1);
	EXPECT(nic_policy_parse("\n") == -1);
	EXPECT(nic_policy_parse("hid") == -1);
	EXPECT(nic_policy_parse("hides") == -1);
	EXPECT(nic_policy_parse("Hide") == -1);
	EXPECT(nic_policy_parse("hide\nkeep") == -1);
	EXPECT(nic_policy_parse(" hide") == -1);
}

static void every_value_has_a_name_and_is_listed(void)
{
	int i;

	for (i = 0; i < NIC_POLICIES; i++) {
		EXPECT(nic_policy_parse(nic_policy_name(i)) == i);
		EXPECT(strstr(NIC_POLICY_LIST, nic_policy_name(i)));
	}
	for (i = 0; i < NIC_TWIN_STATES; i++)
		EXPECT(nic_twin_state_name(i) &&
		       strcmp(nic_twin_state_name(i), "?"));
	for (i = 0; i < NIC_EVENTS; i++)
		EXPECT(nic_event_name(i) && strcmp(nic_event_name(i), "?"));
	for (i = 0; i < NIC_TYPES; i++)
		EXPECT(nic_vif_type_name(i) && strcmp(nic_vif_type_name(i), "?"));
	for (i = 0; i < NIC_GUARDS; i++)
		EXPECT(nic_guard_text(i) && strcmp(nic_guard_text(i), "?"));
	EXPECT(!strcmp(nic_policy_name(NIC_POLICIES), "?"));
	EXPECT(!strcmp(nic_twin_state_name(~0u), "?"));
	EXPECT(!strcmp(nic_event_name(~0u), "?"));
	EXPECT(!strcmp(nic_vif_type_name(~0u), "?"));
	EXPECT(!strcmp(nic_guard_text(~0u), "?"));
}

const struct ktap_test match_tests[] = {
	KTAP_TEST(emulated_nic_of_the_same_mac_is_the_twin),
	KTAP_TEST(each_missing_trait_makes_it_a_stranger),
	KTAP_TEST(row25_type_vif_vetoes_whatever_the_nic_says),
	KTAP_TEST(row24_express_card_of_a_strange_subsystem_is_in_doubt),
	KTAP_TEST(row24_second_nic_of_the_same_mac_is_in_doubt),
	KTAP_TEST(broken_mac_or_type_has_no_twin),
	KTAP_TEST(type_is_parsed_strictly),
	KTAP_TEST(policy_is_parsed_strictly),
	KTAP_TEST(every_value_has_a_name_and_is_listed),
};

const unsigned int match_tests_count = ARRAY_SIZE(match_tests);
