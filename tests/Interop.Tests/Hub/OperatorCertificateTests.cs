using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Hub;

/// <summary>
/// The agents' endpoint shows the operator's own certificate: the real hub reads it from files, with the chain up to an authority that real agents trust as their machine does, and
/// again when the files change. A route server beside it must notice nothing of it.
/// </summary>
public sealed class OperatorCertificateTests : DataCenterTest
{
    private const string Files = "/run/pki";
    private const string Connected = "\"link\":\"Connected\"";
    private const string Shown = $"{Files}/hub.pem";
    private const string Key = $"{Files}/hub.key";

    private static readonly IReadOnlyDictionary<string, string> TrustsFirst = new Dictionary<string, string> { ["SSL_CERT_FILE"] = $"{Files}/first.pem" };
    private static readonly IReadOnlyDictionary<string, string> TrustsSecond = new Dictionary<string, string> { ["SSL_CERT_FILE"] = $"{Files}/second.pem" };

    [Fact]
    public async Task CertificateWithItsChain_IsTrustedByRealAgents_AndReadAgainWhenItChangesUnlessItCannotBeUsed()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        using var first = await AuthorityAsync(center, "first");
        using var second = await AuthorityAsync(center, "second");
        var now = TimeProvider.System.GetUtcNow();
        await ShowAsync(center, first.Issue(now.AddDays(-1), now.AddDays(90)), withChain: true);
        var clock = await Clock.StartAsync(center, "+0", Cancellation);
        var hub = Hub(center, clock);
        await hub.StartAsync(Cancellation);
        var agent = Agent.StartIn(TrustsFirst, center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        // Whoever does not trust that authority is told what is wrong and keeps its token, which is as good as before.
        var token = await hub.JoinTokenAsync("web-1", existing: false, Cancellation);
        var stranger = await TryJoinAsync(center, agent.State, token, "web-1", new Dictionary<string, string>());
        Assert.NotEqual(0, stranger.ExitCode);
        Assert.Contains("certificate", stranger.Errors + stranger.Output, StringComparison.Ordinal);
        Assert.Contains("its BGP sessions were not touched", (await TryJoinAsync(center, agent.State, token, "web-1", TrustsFirst)).Checked(), StringComparison.Ordinal);
        await hub.SeesAsync("web-1", Connected, Cancellation);

        // A key that is not its own, one that has expired, no certificate at all: none of them is taken, and the one before is shown.
        var good = first.Issue(now.AddDays(-1), now.AddDays(90));
        var seconds = 0;
        foreach (var (bad, why) in new[] { (good with { Key = second.Issue(now.AddDays(-1), now.AddDays(90)).Key }, "both PEM"), (first.Issue(now.AddDays(-9), now.AddDays(-1)), "it expired on"), (good with { Leaf = "damaged" }, "both PEM") })
        {
            await ShowAsync(center, bad, withChain: true);
            await clock.SetAsync($"+{seconds += 61}s", Cancellation);
            Assert.Equal(0, (await TryJoinAsync(center, $"/run/other-{seconds}", await hub.JoinTokenAsync($"other-{seconds}", existing: false, Cancellation), $"other-{seconds}", TrustsFirst)).ExitCode);
            Assert.Contains(why, await hub.LogAsync(Cancellation), StringComparison.Ordinal);
        }

        // A good one of another authority is: from the next handshake on, and whoever is connected stays so.
        await ShowAsync(center, second.Issue(now.AddDays(-1), now.AddDays(90)), withChain: true);
        await clock.SetAsync($"+{seconds += 61}s", Cancellation);
        var late = await hub.JoinTokenAsync("late-1", existing: false, Cancellation);
        Assert.NotEqual(0, (await TryJoinAsync(center, "/run/late", late, "late-1", TrustsFirst)).ExitCode);
        (await TryJoinAsync(center, "/run/late", late, "late-1", TrustsSecond)).Checked();
        await hub.SeesAsync("web-1", Connected, Cancellation);

        // The hub comes back with it, and the agent, which trusts the first one only, is kept out; the route stays. With the first one it is back by itself.
        await hub.KillAsync(Cancellation);
        await hub.StartAsync(Cancellation);
        await agent.SayAsync("the certificate that it showed is not", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await ShowAsync(center, good, withChain: true);
        await clock.SetAsync($"+{seconds += 61}s", Cancellation);
        await hub.SeesAsync("web-1", Connected, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task CertificateThatCannotBeUsed_KeepsTheHubFromStartingAndSaysWhatToDo_AndOneWithoutItsChainIsTrustedByNobody()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        using var authority = await AuthorityAsync(center, "first");
        var now = TimeProvider.System.GetUtcNow();
        var good = authority.Issue(now.AddDays(-1), now.AddDays(90));
        var hub = Hub(center, null);
        foreach (var (bad, why) in new[] { (good with { Key = authority.Issue(now.AddDays(-1), now.AddDays(90)).Key }, "both PEM"), (authority.Issue(now.AddDays(-9), now.AddDays(-1)), "it expired on") })
        {
            await ShowAsync(center, bad, withChain: true);
            var refused = await hub.TryRunAsync(Cancellation);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("--agent-certificate", refused.Errors + refused.Output, StringComparison.Ordinal);
            Assert.Contains(why, refused.Errors + refused.Output, StringComparison.Ordinal);
        }

        await ShowAsync(center, good, withChain: false);
        await hub.StartAsync(Cancellation);
        var token = await hub.JoinTokenAsync("web-1", existing: false, Cancellation);
        Assert.NotEqual(0, (await TryJoinAsync(center, "/run/state-x", token, "web-1", TrustsFirst)).ExitCode);

        await hub.KillAsync(Cancellation);
        await ShowAsync(center, good, withChain: true);
        await hub.StartAsync(Cancellation);
        (await TryJoinAsync(center, "/run/state-x", token, "web-1", TrustsFirst)).Checked();
    }

    private static RealHub Hub(DataCenter center, Clock? clock) => new(center)
    {
        Environment = new Dictionary<string, string>(clock?.Environment ?? new Dictionary<string, string>()) { ["FAILOVERHUB_AGENT_CERTIFICATE"] = Shown, ["FAILOVERHUB_AGENT_KEY"] = Key, ["NO_FAKE_STAT"] = "1" },
    };

    private static Task<CommandOutput> TryJoinAsync(DataCenter center, string state, string token, string node, IReadOnlyDictionary<string, string> environment) => center.Sandbox.RunAsync(
        Addresses.NodeNetwork("a"),
        ["env", $"DOTNET_ROOT={Agent.Runtime}", $"FAILOVERHUB_JOIN_TOKEN={token}", .. environment.Select(entry => $"{entry.Key}={entry.Value}"), BuiltPaths.AgentExecutable, "join", "--hub", RealHub.Url, "--node", node, "--state", state],
        Cancellation);

    private static async Task<Authority> AuthorityAsync(DataCenter center, string name)
    {
        var authority = new Authority(name);
        await center.Sandbox.WriteAsync($"{Files}/{name}.pem", authority.Root.ExportCertificatePem(), Cancellation);
        return authority;
    }

    // The key first: whoever renews a certificate writes two files, and in between they do not fit.
    private static async Task ShowAsync(DataCenter center, Issued issued, bool withChain)
    {
        await center.Sandbox.WriteSecretAsync(Key, issued.Key, Cancellation);
        await center.Sandbox.WriteAsync(Shown, withChain ? $"{issued.Leaf}\n{issued.Between}\n" : issued.Leaf, Cancellation);
    }

    /// <summary>PEM.</summary>
    private sealed record Issued(string Leaf, string Between, string Key);

    /// <summary>A root, and an authority below it that issues what servers show.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly ECDsa _betweenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _between;

        public Authority(string name)
        {
            var now = TimeProvider.System.GetUtcNow();
            var root = Request($"CN={name} root", _rootKey, isAuthority: true);
            Root = root.CreateSelfSigned(now.AddDays(-30), now.AddDays(900));
            _between = Request($"CN={name} issuing", _betweenKey, isAuthority: true).Create(Root, now.AddDays(-20), now.AddDays(600), RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(_betweenKey);
        }

        public X509Certificate2 Root { get; }

        public Issued Issue(DateTimeOffset from, DateTimeOffset to)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request("CN=hub.example", key, isAuthority: false);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
            using var leaf = request.Create(_between, from, to, RandomNumberGenerator.GetBytes(8));
            return new Issued(leaf.ExportCertificatePem(), _between.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        }

        public void Dispose()
        {
            Root.Dispose();
            _between.Dispose();
            _rootKey.Dispose();
            _betweenKey.Dispose();
        }

        private static CertificateRequest Request(string subject, ECDsa key, bool isAuthority)
        {
            var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(isAuthority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            return request;
        }
    }
}
