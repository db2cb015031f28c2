using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>
/// kill -9 in the middle of whatever the agent changes on disk or on an interface, call by call: the first round only counts the calls, each later one dies
/// before one of them. The choice is the seed's.
/// </summary>
public sealed class KilledAtACallTests(ITestOutputHelper output) : DataCenterTest
{
    private const int Seed = 20261130;
    private const int Rounds = 12;
    private const string Configuration = "/run/agent.json";

    // Of somebody else, on the interface before the agent is.
    private const string ForeignRange = "2001:db8:e003:1b8c::/64";
    private static readonly string[] _foreign = [Addresses.SharedIpv4, ForeignRange];
    private static readonly string[] _own = ["203.0.113.11/32", "203.0.113.12/32", Addresses.SharedRange64, Addresses.SharedRange56];

    private readonly Random _random = new(Seed);

    [Fact]
    public async Task WhileAReloadAddsAndTakesOffAddresses_TheNextStartHasWhatTheFileSays_AndNobodyElsesIsTouched()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        var server = center.RouteServers[0];
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} -6 addr add {HostOf(ForeignRange)} dev lo nodad", Cancellation);
        var killer = await Killer.MakeAsync(center.Sandbox, Agent.StateOf("a"), Cancellation);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var wanted = await ConfigureAsync();
        var agent = Agent.StartUnder(killer, center, "a", "--neighbor", server.Address, "--config", Configuration, "--hub", ScriptedHub.Url, "--damping", "off");
        await hub.HelloAsync(1, Cancellation);
        var (isDrained, most, killed) = (false, 0, 0);
        List<string> acknowledged = [];
        for (var round = 0; round <= Rounds; round++)
        {
            await SeeAsync(server, wanted, isDrained);

            // Half of the rounds find it drained for sure, whatever else is ordered while it dies.
            var drains = round % 4 is 1 or 2;
            if (isDrained != drains)
            {
                isDrained = drains;
                await agent.OrderAsync([isDrained ? "drain" : "undrain", "--reason", $"before round {round}"], Cancellation);
                acknowledged.Add($"before round {round}");
                await SeeAsync(server, wanted, isDrained);
            }

            wanted = await ConfigureAsync();

            // Every third kill comes from outside and whenever it comes, the others before the call that the seed says.
            var (call, fromOutside) = (round == 0 ? 0 : _random.Next(1, most + 1), round % 3 == 2);
            await killer.ArmAsync(fromOutside ? 0 : call, Cancellation);
            await agent.Process.SignalAsync("HUP", Cancellation);
            bool? asked = round % 2 == 1 ? !isDrained : null;
            if (asked is { } drain && !fromOutside)
            {
                var reason = $"round {round}";
                if (await agent.TryOrderAsync([drain ? "drain" : "undrain", "--reason", reason], $"{agent.State}/control.sock", Cancellation) is true)
                {
                    acknowledged.Add(reason);
                    (isDrained, asked) = (drain, null);
                }
            }

            if (!fromOutside)
            {
                var (after, drained) = (wanted, isDrained);
                await Eventually.SeeAsync("its end, or the end of its work", async c => agent.Process.HasExited || await IsAsItIsToBeAsync(server, after, drained, c), over => over, Cancellation);
            }

            await agent.KillAnywayAsync(Cancellation);
            var (count, at) = await killer.DisarmAsync(Cancellation);
            most = Math.Max(most, round == 0 ? count : 0);
            killed += at.Length > 0 ? 1 : 0;
            output.WriteLine($"round {round}: {(at.Length > 0 ? $"killed before call {count}, {at}" : $"killed after {count} calls")}; drained: {isDrained}");
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);
            var updates = (await server.TrafficAsync("a", Cancellation)).Updates;
            Assert.Subset((await OnLoopbackAsync(Cancellation)).ToHashSet(), _foreign.Select(HostOf).ToHashSet());

            agent.StartAgain();

            await hub.HelloAsync(round + 2, Cancellation);
            if (asked is not null && !fromOutside)
            {
                // It was ended before it could answer: then either is right, and it says which.
                isDrained = (await hub.ReportOfAsync(round + 2, Cancellation)).Drained;
            }

            await SeeAsync(server, wanted, isDrained);
            if (isDrained)
            {
                Assert.Equal(updates, (await server.TrafficAsync("a", Cancellation)).Updates);
            }
        }

        Assert.InRange(killed, Rounds / 3, Rounds);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        hub.JournalHasNoGap();
        Assert.Equal(_foreign.Select(HostOf).ToHashSet(), (await OnLoopbackAsync(Cancellation)).ToHashSet());
        await HasHeardOfAsync(hub, acknowledged);
    }

    [Fact]
    public async Task WhileTheCertificateIsRenewed_KeyAndCertificateOnTheDiskAreAPair_WithWhichTheHubTakesTheNode()
    {
        const int names = 3;
        const int killsEach = 2; // The hub gives a node six certificates an hour: for a join and two renewals that are asked for twice.
        var center = await StartOneAsync(RouteServerKind.Bird);
        var hub = new RealHub(center);
        await hub.StartAsync(Cancellation);
        var killer = await Killer.MakeAsync(center.Sandbox, Agent.StateOf("a"), Cancellation);
        var agent = Agent.StartUnder(killer, center, "a", "--neighbor", center.RouteServers[0].Address, "--primary", "--announce", Addresses.SharedIpv4);
        await center.EstablishedAsync("a", Cancellation);
        var file = $"{agent.State}/hub-identity.json";
        HashSet<string> points = [];
        for (var call = 1; call <= names * killsEach; call++)
        {
            var name = $"web-{(call + 1) / killsEach}";
            await agent.TerminateAsync(Cancellation);
            if (call % killsEach == 1)
            {
                File.Delete(center.Sandbox.Outside(file));
                await agent.JoinAsync(RealHub.Url, name, await hub.JoinTokenAsync(name, existing: false, Cancellation), Cancellation);
            }

            // Twenty days are over, as far as the node knows.
            var kept = JsonNode.Parse(await center.Sandbox.ReadAsync(file, Cancellation))!;
            kept["renewAfter"] = (DateTimeOffset)kept["notBefore"]! + TimeSpan.FromSeconds(1);
            kept["notAfter"] = (DateTimeOffset)kept["notBefore"]! + TimeSpan.FromSeconds(2);
            await center.Sandbox.WriteSecretAsync(file, kept.ToJsonString(), Cancellation);
            var before = (string)kept["fingerprint"]!;
            await killer.ArmAsync(call, Cancellation, "hub-identity");

            agent.StartAgain();

            await Eventually.SeeAsync(
                "its end, or the renewal", async c => agent.Process.HasExited || (await agent.LogAsync(c)).Contains("has renewed this node's certificate", StringComparison.Ordinal), over => over, Cancellation);
            await agent.KillAnywayAsync(Cancellation);

            var (count, at) = await killer.DisarmAsync(Cancellation);
            var after = IsAPair(await center.Sandbox.ReadAsync(file, Cancellation));
            points.Add(at.Split(' ')[0]);
            output.WriteLine($"{name}: {(at.Length > 0 ? $"killed before call {count}, {at}" : $"killed after {count} calls")}; {(after == before ? "the old pair" : "the new pair")}");
            var others = File.Exists(center.Sandbox.Outside($"{file}.new")) ? File.GetUnixFileMode(center.Sandbox.Outside($"{file}.new")) : UnixFileMode.None;
            Assert.Equal(UnixFileMode.None, others & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite));

            agent.StartAgain();

            await hub.SeesAsync(name, "\"link\":\"Connected\"", Cancellation);
            await Eventually.SeeAsync("a good certificate in its status", c => agent.StatusAsync(c), status => status.Contains("certificate           good", StringComparison.Ordinal), Cancellation);
            Assert.NotEqual(before, IsAPair(await center.Sandbox.ReadAsync(file, Cancellation)));
            await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
        }

        Assert.Superset(new HashSet<string> { "create", "write", "fsync", "rename", "" }, points);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    [Fact]
    public async Task WhileItKeepsWhatWasPrimaryHere_WhatWasOnceAnnouncedComesBackHeld()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        var server = center.RouteServers[0];
        var killer = await Killer.MakeAsync(center.Sandbox, Agent.StateOf("a"), Cancellation);
        var (most, killed) = (0, 0);
        string[] first = [Addresses.SharedIpv4];
        for (var round = 0; round <= Rounds; round++)
        {
            // The first start on this machine, each time, and one prefix that has been primary here when the others come to it.
            await center.Sandbox.ScriptAsync($"rm -rf {Agent.StateOf("a")}", Cancellation);
            await PrimaryAsync(first);
            var agent = Agent.StartUnder(killer, center, "a", "--neighbor", server.Address, "--failback", "manual", "--config", Configuration);
            await center.SeeRoutesAsync("a", Expected.These(first, Addresses.Primary), Cancellation);
            await PrimaryAsync(Addresses.Shared);
            await killer.ArmAsync(round == 0 ? 0 : _random.Next(1, most + 1), Cancellation);
            await agent.Process.SignalAsync("HUP", Cancellation);
            List<string> seen = [.. first];
            await Eventually.SeeAsync(
                "its end, or its routes",
                async c =>
                {
                    seen = [.. seen.Union((await server.PrefixesAsync("a", c)).Where(route => route.Communities == Addresses.Primary).Select(route => route.Prefix))];
                    return agent.Process.HasExited || seen.Count == Addresses.Shared.Length;
                },
                over => over,
                Cancellation);
            await agent.KillAnywayAsync(Cancellation);
            var (count, at) = await killer.DisarmAsync(Cancellation);
            most = Math.Max(most, round == 0 ? count : 0);
            killed += at.Length > 0 ? 1 : 0;
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);

            agent.StartAgain();

            await Eventually.SeeAsync("its routes", async c => (await server.PrefixesAsync("a", c)).Count(), routes => routes == Addresses.Shared.Length, Cancellation);
            var held = (await server.PrefixesAsync("a", Cancellation)).Where(route => route.Communities == Addresses.Secondary).Select(route => route.Prefix).ToHashSet();
            output.WriteLine($"round {round}: {(at.Length > 0 ? $"killed before call {count}, {at}" : $"killed after {count} calls")}; seen as primary: {seen.Count}, held: {held.Count}");
            Assert.Superset(seen.ToHashSet(), held);
            Assert.DoesNotContain("cannot be read", await agent.LogAsync(Cancellation), StringComparison.Ordinal);
            await agent.OrderAsync(["failback"], Cancellation);
            await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
            await agent.KillAsync(Cancellation);
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);
        }

        Assert.InRange(killed, Rounds / 3, Rounds);
    }

    [Fact]
    public async Task OnAFullDisk_WhatWasAnsweredIsObeyedAndInTheJournal_AndNothingDrainedIsAnnounced()
    {
        const string control = "/run/control-a/agent.sock";
        var center = await StartOneAsync(RouteServerKind.Bird);
        var server = center.RouteServers[0];
        var state = Agent.StateOf("a");
        await center.Sandbox.ScriptAsync($"mkdir -m 700 /run/control-a {state} && mount -t tmpfs -o size=256k,mode=700 tmpfs {state}", Cancellation);
        var killer = await Killer.MakeAsync(center.Sandbox, state, Cancellation);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.StartUnder(killer, center, "a", ["--neighbor", server.Address, "--primary", "--hub", ScriptedHub.Url, "--control", control, .. Addresses.Shared.SelectMany(prefix => (string[])["--announce", prefix])]);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var (isDrained, order, killed, refused) = (false, 0, 0, 0);
        List<string> acknowledged = [];
        for (var round = 1; round <= Rounds; round++)
        {
            // Full but for some blocks: how far an order comes is another matter each time. Without a hub that takes entries off the disk again.
            await hub.KillAsync();
            await center.Sandbox.ScriptAsync($"dd if=/dev/zero of={state}/filler bs=4096 2>/dev/null || true; truncate -s -{_random.Next(4) * 4096} {state}/filler", Cancellation);
            await killer.ArmAsync(_random.Next(1, 40), Cancellation);
            var isInDoubt = false;
            for (var orders = 0; orders < 4 && !isInDoubt; orders++)
            {
                var (drain, reason) = (!isDrained, $"order {++order}.");
                switch (await agent.TryOrderAsync([drain ? "drain" : "undrain", "--reason", reason], control, Cancellation))
                {
                    case true:
                        isDrained = drain;
                        acknowledged.Add(reason);
                        break;
                    case false:
                        refused++;
                        break;
                    default:
                        // Killed before it could answer: it may have been kept.
                        isInDoubt = true;
                        break;
                }
            }

            await agent.KillAnywayAsync(Cancellation);
            var (count, at) = await killer.DisarmAsync(Cancellation);
            killed += at.Length > 0 ? 1 : 0;
            output.WriteLine($"round {round}: {(at.Length > 0 ? $"killed before call {count}, {at}" : $"killed after {count} calls")}; drained: {isDrained}, in doubt: {isInDoubt}, {acknowledged.Count} done, {refused} refused");
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);
            var updates = (await server.TrafficAsync("a", Cancellation)).Updates;

            agent.StartAgain();

            await center.EstablishedAsync("a", Cancellation);
            var hellos = hub.Hellos;
            await hub.StartAsync(Cancellation);
            await hub.HelloAsync(hellos + 1, Cancellation);
            var says = (await hub.ReportOfAsync(hellos + 1, Cancellation)).Drained;
            Assert.True(says == isDrained || isInDoubt, $"It was told to be {(isDrained ? "drained" : "in service")} and is not.");
            isDrained = says;
            await center.SeeRoutesAsync("a", isDrained ? Expected.Nothing : Expected.All(Addresses.Primary), Cancellation);
            if (isDrained)
            {
                Assert.Equal(updates, (await server.TrafficAsync("a", Cancellation)).Updates);
            }

            File.Delete(center.Sandbox.Outside($"{state}/filler"));
            await HasHeardOfAsync(hub, acknowledged);
        }

        Assert.InRange(killed, Rounds / 3, Rounds);
        Assert.NotEqual(0, refused);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    // What stands in the file is one certificate with its own key, and the fingerprint is that certificate's.
    private static string IsAPair(string file)
    {
        var kept = JsonNode.Parse(file)!;
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String((string)kept["key"]!), out _);
        using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String((string)kept["certificate"]!));
        using var pair = certificate.CopyWithPrivateKey(key);
        Assert.True(pair.HasPrivateKey);
        Assert.Equal(certificate.GetCertHashString(HashAlgorithmName.SHA256), (string?)kept["fingerprint"], ignoreCase: true);
        return (string)kept["fingerprint"]!;
    }

    // Each order that was answered is in the journal, once: the same entry may come again, as the agent says, when a full disk took no mark of what the hub has.
    private static async Task HasHeardOfAsync(ScriptedHub hub, IReadOnlyCollection<string> reasons)
    {
        List<string> Missing() => [.. reasons.Where(reason => hub.Journal.DistinctBy(told => (told.Boot, told.Entry.Sequence)).Count(told => told.Entry.Kind == "local-command" && told.Entry.Text.Contains($"\"{reason}\"", StringComparison.Ordinal)) != 1)];
        await Eventually.SeeAsync("each order that was answered, once in the journal", _ => Task.FromResult(Missing()), missing => missing.Count == 0, Cancellation);
    }

    private Task PrimaryAsync(IEnumerable<string> prefixes) => ConfigureAsync(prefixes.ToDictionary(prefix => prefix, _ => Addresses.Primary));

    // Any of the prefixes, each in a role of its own, also of somebody else's; nothing is said of the others.
    private async Task<IReadOnlyDictionary<string, string>> ConfigureAsync()
    {
        var wanted = _own.Concat(_foreign).Where(_ => _random.Next(2) == 0).ToDictionary(prefix => prefix, _ => _random.Next(2) == 0 ? Addresses.Primary : Addresses.Secondary);
        await ConfigureAsync(wanted);
        return wanted;
    }

    private async Task ConfigureAsync(IReadOnlyDictionary<string, string> wanted)
    {
        var prefixes = wanted.Select(entry => $"{{ \"prefix\": \"{entry.Key}\", \"role\": \"{(entry.Value == Addresses.Primary ? "primary" : "secondary")}\" }}");
        await Center.Sandbox.WriteAsync($"{Configuration}.new", $"{{ \"addresses\": {{ \"mode\": \"managed\" }}, \"prefixes\": [{string.Join(", ", prefixes)}] }}", Cancellation);
        File.Move(Center.Sandbox.Outside($"{Configuration}.new"), Center.Sandbox.Outside(Configuration), overwrite: true);
    }

    private async Task SeeAsync(RouteServer server, IReadOnlyDictionary<string, string> wanted, bool isDrained)
    {
        await Eventually.SeeAsync($"a session on {server.Name}", c => server.SessionAsync("a", c), session => session.Established, Cancellation);
        await Center.SeeRoutesAsync("a", isDrained ? Expected.Nothing : wanted, Cancellation);
        var addresses = Hosts(wanted);
        await Eventually.SeeAsync($"{string.Join(' ', addresses)} on loopback", OnLoopbackAsync, on => addresses.SetEquals(on), Cancellation);
    }

    private async Task<bool> IsAsItIsToBeAsync(RouteServer server, IReadOnlyDictionary<string, string> wanted, bool isDrained, CancellationToken cancellation)
    {
        var routes = await server.PrefixesAsync("a", cancellation);
        return routes.ToDictionary(route => route.Prefix, route => route.Communities).OrderBy(route => route.Key).SequenceEqual((isDrained ? Expected.Nothing : wanted).OrderBy(route => route.Key))
            && Hosts(wanted).SetEquals(await OnLoopbackAsync(cancellation));
    }

    private static HashSet<string> Hosts(IReadOnlyDictionary<string, string> wanted) => [.. wanted.Keys.Concat(_foreign).Select(HostOf)];

    private static string HostOf(string prefix) => prefix.Replace("::/", "::1/", StringComparison.Ordinal);

    private async Task<string[]> OnLoopbackAsync(CancellationToken cancellation)
    {
        var lines = (await Center.Sandbox.RunAsync(Addresses.NodeNetwork("a"), ["ip", "-o", "addr", "show", "dev", "lo", "scope", "global"], cancellation)).Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3])];
    }
}
