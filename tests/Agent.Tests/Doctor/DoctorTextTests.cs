using System.Net;
using System.Text.Json;
using FailoverHub.Agent.Addresses.Permanent;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Doctor;

namespace FailoverHub.Agent.Tests.Doctor;

public sealed class DoctorTextTests
{
    private static readonly Finding[] _findings =
    [
        Finding.Passed("address", "203.0.113.10/32 is on lo"),
        Finding.Failed("route", "the kernel has no route to any of the 4 route servers", "IPv6 needs its default route, from router advertisements or by hand: ip -6 route. " + new string('x', 90)),
        Finding.Unknown("clock", "the kernel does not say whether a time server keeps the clock"),
        Finding.NotApplicable("certificate", "stand-alone: there is no hub to show one to"),
    ];

    [Fact]
    public void Text_IsAligned_InEightyColumns_AndEachFailureIsFollowedByWhatToDo()
    {
        var lines = DoctorText.Of(_findings, null).Split('\n');

        Assert.Equal("passed   address          203.0.113.10/32 is on lo", lines[0]);
        Assert.Equal("FAILED   route            the kernel has no route to any of the 4 route servers", lines[1]);
        Assert.StartsWith("                          -> IPv6 needs its default route,", lines[2], StringComparison.Ordinal);
        Assert.All(lines.Where(line => !line.Contains("xxx", StringComparison.Ordinal)), line => Assert.True(line.Length <= 80, line));
        Assert.Contains("1 passed, 1 failed, 1 unknown", lines);
    }

    [Theory]
    [InlineData(PermanentKind.Netplan, "/etc/netplan/60-failoverhub.yaml")]
    [InlineData(PermanentKind.Ifupdown, "/etc/network/interfaces.d/60-failoverhub")]
    [InlineData(PermanentKind.NetworkManager, "failoverhub-shared.nmconnection")]
    internal void Permanent_IsPrintedWhole_WithHowToApplyIt(PermanentKind kind, string path)
    {
        var lines = PermanentAddress.For(kind, [IPNetwork.Parse("203.0.113.10/32")])!;

        var text = DoctorText.Of(_findings, new PermanentPart(kind, lines, null, null));

        Assert.Contains(path, text, StringComparison.Ordinal);
        Assert.All(lines.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Contains($"    {line}\n", text, StringComparison.Ordinal));
        Assert.Contains($"Apply it: {lines.Command}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Refused_SaysWhy_AndPrintsTheLinesToBeWrittenByHand()
    {
        var lines = PermanentAddress.For(PermanentKind.Netplan, [IPNetwork.Parse("203.0.113.10/32")])!;

        var text = DoctorText.Of(_findings, new PermanentPart(PermanentKind.Netplan, lines, "a hindrance", new PermanentOutcome.Refused("it is there with other lines")));

        Assert.Contains("NOT written", text, StringComparison.Ordinal);
        Assert.Contains("it is there with other lines", text, StringComparison.Ordinal);
        Assert.Contains("      version: 2", text, StringComparison.Ordinal);
        Assert.Contains("Note: a hindrance", text, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownDistribution_SaysSo()
    {
        Assert.Contains("add the addresses to lo by hand", DoctorText.Of(_findings, new PermanentPart(PermanentKind.Unknown, null, null, null)), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_HasEveryFinding_AndTheLines()
    {
        var facts = new DoctorFacts
        {
            Options = new AgentOptions { Node = "node-a", Neighbors = [], StateDirectory = "/s", ControlSocket = "/s/c" },
            Now = DateTimeOffset.UnixEpoch,
            Privileges = new PrivilegeFacts { Who = "this user" },
        };
        var permanent = new PermanentPart(PermanentKind.Netplan, PermanentAddress.For(PermanentKind.Netplan, [IPNetwork.Parse("203.0.113.10/32")]), null, new PermanentOutcome.Written("/p"));

        using var json = JsonDocument.Parse(DoctorJson.Of(DoctorDocument.Of(facts, _findings, permanent)));

        var root = json.RootElement;
        Assert.Equal("node-a", root.GetProperty("node").GetString());
        Assert.Equal(1, root.GetProperty("failed").GetInt32());
        Assert.Equal(["passed", "failed", "unknown", "not-applicable"], root.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("state").GetString()));
        Assert.Equal("written", root.GetProperty("permanent").GetProperty("outcome").GetString());
        Assert.Equal("netplan apply", root.GetProperty("permanent").GetProperty("apply").GetString());
    }
}
