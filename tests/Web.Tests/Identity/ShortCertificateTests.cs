using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Identity.Past;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>Certificates that live for three hours, so that renewal is seen in an afternoon; and the ones that there were.</summary>
[Trait("Kind", "Hub")]
public sealed class ShortCertificateTests : TlsHubTest
{
    private protected override AgentsEndpoint Endpoint => AgentsEndpoint.Default with { CertificateLifetime = TimeSpan.FromHours(3) };

    [Fact]
    public async Task Certificate_LivesAsLongAsTheSettingSaysAndIsDueAfterTwoThirds()
    {
        var node = NewNode();

        var issued = await node.JoinAsync(Url, await TokenAsync(), "web-1");
        Time.Advance(TimeSpan.FromMinutes(1));
        var renewed = await node.RenewAsync(Url);

        Assert.Equal((3 * 60, 2 * 60), (MinutesFromNow(issued.NotAfterUnixMs) + 1, MinutesFromNow(issued.RenewAfterUnixMs) + 1));
        Assert.Equal((3 * 60, 2 * 60), (MinutesFromNow(renewed.NotAfterUnixMs), MinutesFromNow(renewed.RenewAfterUnixMs)));
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Fact]
    public async Task Certificates_ThatTheNodeHasHad_AreListedWithWhatBecameOfThem()
    {
        var node = NewNode();
        var issued = await node.JoinAsync(Url, await TokenAsync(), "web-1");
        Time.Advance(TimeSpan.FromMinutes(1));
        await node.RenewAsync(Url);
        Time.Advance(TimeSpan.FromMinutes(1));
        await node.JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");
        Time.Advance(TimeSpan.FromMinutes(1));
        await node.RenewAsync(Url);

        var all = await Hub.Get<CertificateHistory>().OfAsync(issued.NodeId, Stop);

        string current = all[0].Serial;
        Assert.Equal(
            [("renewal", "in use"), ("join token", "replaced"), ("renewal", "revoked"), ("join token", "revoked")],
            all.Select(c => (c.IsRenewal ? "renewal" : "join token", CertificateWords.Fate(c, current, Time.GetUtcNow()))));
        Assert.All(all, c => Assert.Equal(TimeSpan.FromHours(3), c.NotAfter - c.IssuedAt));
        Assert.Equal("expired", CertificateWords.Fate(all[0], current, all[0].NotAfter));
    }

    [Theory]
    [InlineData(60, false, "1 hour left")]
    [InlineData(41, true, "less than an hour left")]
    public void Words_OfACertificateOfThreeHours_CountHoursAndWarnWhenItWasNotRenewed(int minutesLeft, bool warned, string said)
    {
        var now = Time.GetUtcNow();
        var identity = new NodeIdentityView
        {
            NodeId = "n", JoinedAt = now, Serial = "s", IssuedAt = now.AddMinutes(minutesLeft - 180), NotAfter = now.AddMinutes(minutesLeft), Renewals = 0,
        };

        Assert.Equal(said, CertificateWords.Days(identity, now));
        Assert.Equal(warned ? "Not renewed" : "Valid", CertificateWords.Of(identity, now).Word);
    }

    [Theory]
    [InlineData(null, 720)]
    [InlineData("3", 3)]
    [InlineData("720", 720)]
    public void Setting_SaysHowManyHours(string? text, int hours) =>
        Assert.Equal(TimeSpan.FromHours(hours), HubOptions.Parse(new HubSettings { CertificateHours = text }).Options!.Agents.CertificateLifetime);

    [Theory]
    [InlineData("0")]
    [InlineData("721")]
    [InlineData("3h")]
    public void Setting_ThatIsNoLife_IsRefusedWithWhatToWrite(string text) =>
        Assert.StartsWith("FAILOVERHUB_CERTIFICATE_HOURS: ", Assert.Single(HubOptions.Parse(new HubSettings { CertificateHours = text }).Problems), StringComparison.Ordinal);

    private int MinutesFromNow(long unixMs) => (int)Math.Round((DateTimeOffset.FromUnixTimeMilliseconds(unixMs) - Time.GetUtcNow()).TotalMinutes);
}
