using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire.Rfc7606;

// What the RFCs say of one attribute, with no look at our own table: how a right one looks, every way to be wrong that they name, and what follows.
internal sealed record AttributeSpec(byte Code, string Name, byte Flags, string Right, AttributeFault OnFault, string Clause)
{
    // Of the same attribute.
    public string[] AlsoRight { get; init; } = [];

    public string[] WrongLengths { get; init; } = [];

    // What is wrong, and the value.
    public (string What, string Value)[] WrongValues { get; init; } = [];

    // Where it differs from OnFault.
    public AttributeFault? OnEmpty { get; init; }

    // Where the attribute's own RFC speaks of its transitive bit (RFC 7606 3 c leaves room for that).
    public AttributeFault OnWrongTransitive { get; init; } = AttributeFault.TreatAsWithdraw;

    // Means nothing from another AS (RFC 7606 7.5, 7.9, 7.10).
    public bool InternalOnly { get; init; }

    // Read only where AS numbers have two octets (RFC 6793).
    public bool TwoOctetsOnly { get; init; }

    // Where AS numbers have two octets (RFC 6793).
    public (string Value, AttributeFault Outcome)[] InTwoOctets { get; init; } = [];

    public static IReadOnlyList<AttributeSpec> All { get; } =
    [
        new(1, "ORIGIN", 0x40, "00", AttributeFault.TreatAsWithdraw, "RFC 7606 7.1")
        {
            AlsoRight = ["01", "02"],
            WrongLengths = ["", "0000"],
            WrongValues = [("undefined", "03"), ("undefined", "ff")],
        },
        new(2, "AS_PATH", 0x40, "0201 0000fde9", AttributeFault.TreatAsWithdraw, "RFC 7606 7.2")
        {
            InTwoOctets = [("0201 fde9", AttributeFault.None), ("0202 fde95ba0", AttributeFault.None), ("0201 0000", AttributeFault.TreatAsWithdraw), ("0201 0000fde9", AttributeFault.TreatAsWithdraw)],
            AlsoRight = ["", "0101 0000fde9", "0201 0000fde9 0102 0000fde9 0000fdea"],
            WrongValues =
            [
                ("segment type 0", "0001 0000fde9"),
                ("segment type 5", "0501 0000fde9"),
                ("a segment without AS numbers", "0200"),
                ("a segment that overruns", "0202 0000fde9"),
                ("an AS number cut short", "0201 0000fd"),
                ("one octet left over", "0201 0000fde9 02"),
                ("a type without a length", "02"),
                ("AS 0 (RFC 7607 2)", "0202 0000fde9 00000000"),
                ("a confederation's sequence from outside (RFC 5065 5)", "0301 0000fde9"),
                ("a confederation's set from outside (RFC 5065 5)", "0401 0000fde9"),
            ],
        },
        new(3, "NEXT_HOP", 0x40, "c0000209", AttributeFault.TreatAsWithdraw, "RFC 7606 7.3")
        {
            AlsoRight = ["c000020a"],
            WrongLengths = ["", "c00002", "c000020900", "20010db8000000000000000000000001"],
        },
        new(4, "MULTI_EXIT_DISC", 0x80, "00000007", AttributeFault.TreatAsWithdraw, "RFC 7606 7.4") { AlsoRight = ["00000008"], WrongLengths = ["", "000007", "0000000007"] },
        new(5, "LOCAL_PREF", 0x40, "00000064", AttributeFault.TreatAsWithdraw, "RFC 7606 7.5") { AlsoRight = ["000000c8"], InternalOnly = true, WrongLengths = ["", "000064", "0000000064"] },
        new(6, "ATOMIC_AGGREGATE", 0x40, "", AttributeFault.Discard, "RFC 7606 7.6") { WrongLengths = ["00", "00000000"] },
        new(7, "AGGREGATOR", 0xc0, "0000fde9 0a000001", AttributeFault.Discard, "RFC 7606 7.7")
        {
            AlsoRight = ["0000fdea 0a000002"],
            InTwoOctets = [("fde9 0a000001", AttributeFault.None), ("0000fde9 0a000001", AttributeFault.Discard), ("0000 0a000001", AttributeFault.Discard)],
            WrongLengths = ["", "fde9 0a000001", "0000fde9 0a0000", "0000fde9 0a00000100"],
            WrongValues = [("AS 0 (RFC 7607 2)", "00000000 0a000001")],
        },
        new(8, "COMMUNITIES", 0xc0, "fde80001", AttributeFault.TreatAsWithdraw, "RFC 7606 7.8")
        {
            AlsoRight = ["fde80001 fde80001", "ffff0000"],
            WrongLengths = ["", "fde800", "fde8000100"],
        },
        new(9, "ORIGINATOR_ID", 0x80, "0a000001", AttributeFault.TreatAsWithdraw, "RFC 7606 7.9") { AlsoRight = ["0a000002"], InternalOnly = true, WrongLengths = ["", "0a0000", "0a00000100"] },
        new(10, "CLUSTER_LIST", 0x80, "0a000001", AttributeFault.TreatAsWithdraw, "RFC 7606 7.10")
        {
            InternalOnly = true,
            AlsoRight = ["0a000001 0a000002"],
            WrongLengths = ["", "0a0000", "0a000001 0a00"],
        },
        new(14, "MP_REACH_NLRI", 0x80, "0002 01 10 20010db8000000000000000000000001 00 40 20010db800000001", AttributeFault.SessionReset, "RFC 7606 7.11, 5.3")
        {
            AlsoRight =
            [
                "0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 00",
                "0001 01 10 20010db8000000000000000000000001 00 20 c6336401",
                "0001 01 04 c0000209 00 20 c6336401",
                "0002 01 10 20010db8000000000000000000000001 00",
                "0019 46 04 c0000209 00 ff ff",
            ],
            WrongLengths = ["", "0002", "000201", "00020110"],
            WrongValues =
            [
                ("no next hop", "0002 01 00 00"),
                ("a next hop of 4 octets for IPv6", "0002 01 04 c0000209 00"),
                ("a next hop of 15 octets", "0002 01 0f 20010db80000000000000000000000 00"),
                ("a next hop of 24 octets", "0002 01 18 20010db8000000000000000000000001 fe80000000000000 00"),
                ("a next hop that overruns", "0002 01 10 20010db800000000"),
                ("no reserved octet", "0002 01 10 20010db8000000000000000000000001"),
                ("a prefix of 129 bits", "0002 01 10 20010db8000000000000000000000001 00 81 20010db800000000000000000000000100"),
                ("an IPv4 prefix of 33 bits", "0001 01 10 20010db8000000000000000000000001 00 21 c633640100"),
                ("a prefix cut short", "0002 01 10 20010db8000000000000000000000001 00 40 20010db8"),
            ],
        },
        new(15, "MP_UNREACH_NLRI", 0x80, "0002 01 40 20010db800000001", AttributeFault.SessionReset, "RFC 7606 7.12, 5.3")
        {
            AlsoRight = ["000201", "0001 01 20 c6336401", "0019 46 ff"],
            WrongLengths = ["", "00", "0002"],
            WrongValues = [("a prefix of 129 bits", "0002 01 81 20010db800000000000000000000000100"), ("a prefix cut short", "0002 01 40 20010db8")],
        },
        new(16, "EXTENDED_COMMUNITIES", 0xc0, "0002fde800000001", AttributeFault.TreatAsWithdraw, "RFC 7606 7.14")
        {
            // Types that nobody knows are no error.
            AlsoRight = ["ffff000000000000"],
            WrongLengths = ["", "0002fde8000000", "0002fde80000000100"],
        },
        new(17, "AS4_PATH", 0xc0, "0201 fa56ea01", AttributeFault.Discard, "RFC 6793 6")
        {
            TwoOctetsOnly = true,
            // Segments of a confederation are taken out, the rest stands.
            AlsoRight = ["0301 fa56ea02 0201 fa56ea01"],
            WrongLengths = ["", "0200", "0201 fa56"],
            WrongValues =
            [
                ("segment type 0", "0001 fa56ea01"),
                ("segment type 5", "0501 fa56ea01"),
                ("a segment without AS numbers", "0201 fa56ea01 0200"),
                ("a segment that overruns", "0202 fa56ea01"),
                ("one octet left over", "0201 fa56ea01 02"),
                ("AS 0 (RFC 7607 2)", "0201 00000000"),
            ],
        },
        new(18, "AS4_AGGREGATOR", 0xc0, "fa56ea01 0a000001", AttributeFault.Discard, "RFC 6793 6")
        {
            AlsoRight = ["fa56ea02 0a000002"],
            TwoOctetsOnly = true,
            WrongLengths = ["", "5ba0 0a000001", "fa56ea01 0a00000100"],
            WrongValues = [("AS 0 (RFC 7607 2)", "00000000 0a000001")],
        },
        new(22, "PMSI_TUNNEL", 0xc0, "00 06 000100 0a000001", AttributeFault.TreatAsWithdraw, "RFC 6514 5")
        {
            AlsoRight = ["00 00 000000"],
            WrongLengths = ["", "00 06 0001"],
        },
        new(23, "TUNNEL_ENCAPSULATION", 0xc0, "0008 0004 01 02 0000", AttributeFault.TreatAsWithdraw, "RFC 9012 13")
        {
            AlsoRight = ["0008 0000", "0008 0005 80 0002 0000", "ffff 0002 00 00"],
            WrongLengths = [""],
            OnEmpty = AttributeFault.Discard,
            OnWrongTransitive = AttributeFault.Discard,
            WrongValues =
            [
                ("a TLV cut short", "0008 00"),
                ("a TLV that overruns", "0008 0005 01 02 0000"),
                ("a sub-TLV that overruns", "0008 0004 01 03 0000"),
                ("a sub-TLV without a length", "0008 0001 01"),
                ("a long sub-TLV with a short length", "0008 0002 80 00"),
            ],
        },
        new(24, "TRAFFIC_ENGINEERING", 0x80, new string('0', 72), AttributeFault.TreatAsWithdraw, "RFC 7606 7.13") { AlsoRight = [new string('1', 72)], WrongLengths = ["", new string('0', 70)] },
        new(25, "IPV6_EXTENDED_COMMUNITIES", 0xc0, "0002 20010db8000000000000000000000001 0001", AttributeFault.TreatAsWithdraw, "RFC 7606 7.15")
        {
            AlsoRight = ["0003 20010db8000000000000000000000002 0002"],
            WrongLengths = ["", "0002 20010db8000000000000000000000001 00", "0002 20010db8000000000000000000000001 000100"],
        },
        new(26, "AIGP", 0x80, "01 000b 0000000000000007", AttributeFault.None, "RFC 7311 3")
        {
            AlsoRight = ["02 0003", "01 000b 0000000000000007 09 0004 00"],
            OnWrongTransitive = AttributeFault.None,
            WrongLengths = ["", "0100"],
            WrongValues =
            [
                ("a TLV shorter than its header", "01 0002 00"),
                ("a TLV that overruns", "01 000c 0000000000000007"),
                ("a metric of 7 octets", "01 000a 00000000000007"),
            ],
        },
        new(32, "LARGE_COMMUNITY", 0xc0, "0000fde8 00000001 00000002", AttributeFault.TreatAsWithdraw, "RFC 8092 6")
        {
            // Twice the same is not sent, but it is no error (RFC 8092 5).
            AlsoRight = ["0000fde8 00000001 00000002 0000fde8 00000001 00000002"],
            WrongLengths = ["", "0000fde8 00000001 000000", "0000fde8 00000001 0000000200"],
        },
        new(35, "ONLY_TO_CUSTOMER", 0xc0, "0000fdeb", AttributeFault.TreatAsWithdraw, "RFC 9234 5") { AlsoRight = ["0000fdec"], WrongLengths = ["", "00fdeb", "000000fdeb"] },
        new(128, "ATTR_SET", 0xc0, "0000fdec 400101 00 400504 00000064", AttributeFault.TreatAsWithdraw, "RFC 7606 7.16")
        {
            AlsoRight = ["0000fdec", "0000fdec 400601 00"],
            WrongLengths = ["", "0000fd"],
            WrongValues =
            [
                ("a wrong attribute inside", "0000fdec 400101 03"),
                ("an attribute inside that overruns", "0000fdec 400102 00"),
                ("an unknown well-known attribute inside", "0000fdec 40fe00"),
                ("prefixes inside", "0000fdec 800f03 000201"),
                ("a set inside of the set", "0000fdec c08004 0000fdec"),
            ],
        },
    ];
}
