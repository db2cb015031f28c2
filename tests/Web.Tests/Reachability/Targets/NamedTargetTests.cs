using FailoverHub.Web.Reachability.Targets;

namespace FailoverHub.Web.Tests.Reachability.Targets;

public sealed class NamedTargetTests
{
    private static readonly NamedTargetDraft Icmp = new() { Name = "router", Kind = NamedTargetKind.Icmp, Address = "192.0.2.1" };
    private static readonly NamedTargetDraft Https = new() { Name = "shop", Kind = NamedTargetKind.Http, Address = "https://shop.example/health", Interval = TimeSpan.FromSeconds(5) };

    public static TheoryData<NamedTargetDraft, string> Wrong => new()
    {
        { Icmp with { Name = null }, "name" },
        { Icmp with { Name = "two words" }, "name" },
        { Icmp with { Name = "-router" }, "name" },
        { Icmp with { Name = new string('a', 61) }, "name" },
        { Icmp with { Kind = (NamedTargetKind)9 }, "kind" },
        { Icmp with { Address = "router.example" }, "address" },
        { Icmp with { Address = "192.0.2.0/24" }, "address" },
        { Icmp with { Address = "0.0.0.0" }, "address" },
        { Icmp with { Address = null }, "address" },
        { Icmp with { Kind = NamedTargetKind.Tcp, Port = 80, Address = "169.254.169.254" }, "address" },
        { Https with { Address = "http://169.254.169.254/latest/meta-data/" }, "address" },
        { Https with { Address = "http://[fe80::1]/" }, "address" },
        { Https with { Address = "http://[::ffff:169.254.169.254]/" }, "address" },
        { Icmp with { Port = 80 }, "port" },
        { Icmp with { Kind = NamedTargetKind.Tcp }, "port" },
        { Icmp with { Kind = NamedTargetKind.Tcp, Port = 65_536 }, "port" },
        { Icmp with { Interval = TimeSpan.FromMilliseconds(100) }, "intervalSeconds" },
        { Icmp with { Interval = TimeSpan.FromHours(2) }, "intervalSeconds" },
        { Icmp with { BodyPattern = "x" }, "bodyPattern" },
        { Icmp with { Statuses = "200" }, "statuses" },
        { Icmp with { TrustAnyCertificate = true }, "trustAnyCertificate" },
        { Icmp with { CertificateDays = 7 }, "certificateDays" },
        { Https with { Address = "ftp://shop.example/" }, "address" },
        { Https with { Address = "file:///etc/passwd" }, "address" },
        { Https with { Address = "https://user:word@shop.example/" }, "address" },
        { Https with { Interval = TimeSpan.FromSeconds(1) }, "intervalSeconds" },
        { Https with { BodyPattern = "(" }, "bodyPattern" },
        { Https with { BodyPattern = @"(a)\1" }, "bodyPattern" },
        { Https with { BodyPattern = "(?=a)" }, "bodyPattern" },
        { Https with { Statuses = "200-" }, "statuses" },
        { Https with { Statuses = "299-200" }, "statuses" },
        { Https with { Statuses = "999" }, "statuses" },
        { Https with { CertificateDays = 401 }, "certificateDays" },
        { Https with { Address = "http://shop.example/", CertificateDays = 1 }, "certificateDays" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Draft_WithOneThingWrong_IsRefusedByThatFieldAlone(NamedTargetDraft draft, string field)
    {
        Assert.Null(NamedTarget.TryCreate(draft, out var problems));
        Assert.Equal(field, Assert.Single(problems).Key);
    }

    [Fact]
    public void Draft_ThatMakesSense_IsATarget()
    {
        NamedTarget target = NamedTarget.TryCreate(Https with { Statuses = "200-299, 401", BodyPattern = "ok", CertificateDays = 14 }, out _)!;

        Assert.Equal(("target:shop", "HTTPS", null), (target.Id, target.Way, target.Host));
        Assert.Equal([true, true, true, false, false], new[] { 200, 299, 401, 300, 404 }.Select(target.Expects));
        Assert.Equal("TCP port 443", NamedTarget.TryCreate(Icmp with { Kind = NamedTargetKind.Tcp, Port = 443 }, out _)!.Way);
    }
}
