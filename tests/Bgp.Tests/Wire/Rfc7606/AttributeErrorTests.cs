using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Wire;
using FailoverHub.Bgp.Wire.Attributes;

namespace FailoverHub.Bgp.Tests.Wire.Rfc7606;

// The table of RFC 7606, and of the RFCs after it: every attribute, every way to be wrong, outcome and clause.
public sealed class AttributeErrorTests
{
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var one in AttributeErrorCase.All)
            {
                data.Add(one.Key, one.Clause, one.Outcome.ToString());
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fault_HasTheOutcomeOfItsClause(string key, string clause, string outcome)
    {
        var one = AttributeErrorCase.All.Single(entry => entry.Key == key);
        Assert.Equal((clause, outcome), (one.Clause, one.Outcome.ToString()));
        if (one.Outcome == AttributeFault.SessionReset)
        {
            var fault = Assert.Throws<SessionFaultException>(() => UpdateCodec.Read(one.Body, one.Context));
            Assert.Equal(new NotificationCode(3, one.ResetSubcode), fault.Code);
            return;
        }

        var decoded = UpdateCodec.Read(one.Body, one.Context);

        Assert.Equal(one.Outcome, decoded.Worst);
        Assert.Equal(one.Outcome == AttributeFault.None, decoded.Problem is null);
        // What is withdrawn, or still announced.
        Assert.Equal([IPNetwork.Parse("192.0.2.1/32")], decoded.Message.Announced);
        if (one.Outcome != AttributeFault.TreatAsWithdraw)
        {
            if (one.Code != 1)
            {
                Assert.Equal(Origin.Igp, decoded.Message.Attributes.Origin);
            }

            if (one.StaysPresent is { } stays)
            {
                Assert.Equal(stays, AttributeTable.Find(one.Code)!.IsPresent(decoded.Message.Attributes, one.Context));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Attributes))]
    public void RightOne_IsReadAsWhatItIs_WrittenAgainItIsTheSameOctets(string attribute)
    {
        var spec = AttributeSpec.All.Single(one => one.Name == attribute);
        var right = AttributeErrorCase.All.Single(one => one.Name == attribute && one.Fault == AttributeErrorCase.Right);
        var writer = new WireWriter();

        UpdateCodec.Write(writer, UpdateCodec.Read(right.Body, right.Context).Message, right.Context);

        var value = Codec.Hex(spec.Right);
        byte[] whole = spec.OnFault == AttributeFault.SessionReset
            ? [(byte)(spec.Flags | 0x10), spec.Code, 0, (byte)value.Length, .. value]
            : [spec.Flags, spec.Code, (byte)value.Length, .. value];
        Assert.Contains(Convert.ToHexString(whole), Convert.ToHexString(writer.Finish().Span), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Attributes))]
    public void OfTwo_TheFirstCounts(string attribute)
    {
        var (right, twice) = (Of(AttributeErrorCase.Right), Of(AttributeErrorCase.Twice));
        if (twice.Outcome == AttributeFault.SessionReset)
        {
            // Of prefixes none may be lost (RFC 7606 3 g).
            Assert.Contains(attribute, (string[])["MP_REACH_NLRI", "MP_UNREACH_NLRI"]);
            return;
        }

        Assert.Equal(MessageText.Of(UpdateCodec.Read(right.Body, right.Context).Message), MessageText.Of(UpdateCodec.Read(twice.Body, twice.Context).Message));

        AttributeErrorCase Of(string fault) => AttributeErrorCase.All.Single(one => one.Name == attribute && one.Fault == fault);
    }

    [Fact]
    public void TheSecondOfTwo_IsAnotherOne_WhereAnAttributeCanHaveTwoValues() =>
        Assert.All(AttributeSpec.All, spec => Assert.True(spec.AlsoRight.Length > 0 || spec.Code == 6, spec.Name));

    public static TheoryData<string> Attributes => new(AttributeSpec.All.Select(spec => spec.Name));

    // The same through a whole session: it ends only where the table says so, and otherwise the routes are announced or withdrawn.
    [Theory]
    [MemberData(nameof(Attributes))]
    public void Session_EndsOnlyWhereTheTableSaysSo(string attribute)
    {
        foreach (var one in AttributeErrorCase.All.Where(entry => entry.Name == attribute))
        {
            var neighbor = Neighbor(one.Context);
            neighbor.Says([.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(19 + one.Body.Length), 2, .. one.Body]);
            if (one.Outcome == AttributeFault.SessionReset)
            {
                neighbor.AssertFailsWith(new NotificationCode(3, one.ResetSubcode));
                continue;
            }

            Assert.True(neighbor.State == SessionState.Established, one.Key);
            var routes = neighbor.Effects.OfType<SessionEffect.RoutesReceived>().Select(effect => effect.Update).ToList();
            var withdrawn = one.Outcome == AttributeFault.TreatAsWithdraw;
            Assert.Equal(withdrawn, routes.SelectMany(update => update.Withdrawn).Contains(IPNetwork.Parse("192.0.2.1/32")));
            Assert.Equal(!withdrawn, routes.SelectMany(update => update.Announced).Contains(IPNetwork.Parse("192.0.2.1/32")));
        }
    }

    private static ScriptedNeighbor Neighbor(UpdateContext context)
    {
        if (context.InternalPeer)
        {
            var options = SessionPair.AgentOptions with { PeerAs = SessionPair.AgentOptions.LocalAs };
            return new ScriptedNeighbor(options).InEstablished(OpenNegotiation.OurOpen(options with { RouterId = new RouterId(99) }, withCapabilities: true));
        }

        // Without capabilities: two octets, and IPv4 only, which the cases of two octets are.
        return new ScriptedNeighbor { Local = IPAddress.Parse("192.0.2.9") }
            .InEstablished(context.FourOctetAs ? ScriptedNeighbor.Open : ScriptedNeighbor.Open with { Capabilities = [] });
    }

    [Fact]
    public void EveryAttributeThatWeRead_IsInTheTable_WithTheFlagsOfItsRfc()
    {
        Assert.Equal(AttributeSpec.All.Select(spec => spec.Code).Order(), AttributeTable.Rows.Select(row => row.Code).Order());
        foreach (var spec in AttributeSpec.All)
        {
            var row = AttributeTable.Find(spec.Code)!;
            Assert.Equal((spec.Name, spec.Flags, spec.OnFault), (row.Name, (byte)row.Flags, row.OnFault));
        }
    }

    [Fact]
    public void CasesHaveNamesOfTheirOwn() => Assert.Equal(AttributeErrorCase.All.Count, AttributeErrorCase.All.Select(one => one.Key).Distinct().Count());
}
