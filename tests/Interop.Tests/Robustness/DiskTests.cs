using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>The disk of the state directory is full, cannot be written, or has nonsense on it: the addresses work, and nothing is forgotten that was kept.</summary>
public sealed class DiskTests : DataCenterTest
{
    // Not on the disk that is spoiled.
    private const string Control = "/run/control-a/agent.sock";

    [Fact]
    public async Task DiskFull_IntentsAreRejected_RoutesStay_AndNoEntryOfTheJournalIsLost()
    {
        var (center, hub, agent) = await StartOnItsOwnDiskAsync();
        await using var _ = hub;
        await hub.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);

        await center.Sandbox.ScriptAsync($"dd if=/dev/zero of={agent.State}/filler bs=4096 2>/dev/null || true", Cancellation);
        var refused = await hub.IntendAsync(2, drained: false, Roles(Role.Primary), Cancellation);
        Assert.Equal(IntentResult.Types.Outcome.Rejected, refused.Outcome);
        Assert.Contains("could not be kept", refused.Reason, StringComparison.Ordinal);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);

        // Each leaves an entry: together more than what is left of the last block of the journal.
        for (var revision = 3ul; revision < 43; revision++)
        {
            await hub.SendAsync(revision, drained: false, Roles(Role.Primary), Cancellation);
        }

        await center.RouteServers[0].ResetAsync("a", Cancellation);
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        await agent.SayAsync("The journal cannot be written", Cancellation);
        await center.Sandbox.ScriptAsync($"rm {agent.State}/filler", Cancellation);

        await Eventually.SeeAsync(
            "all of it in the journal of the hub",
            _ => Task.FromResult(hub.Journal.Select(told => told.Entry.Kind).ToList()),
            kinds => kinds.Count(kind => kind == "intent-rejected") == 41 && kinds.Contains("session-lost"),
            Cancellation);
        hub.JournalHasNoGap();
        Assert.Equal(IntentResult.Types.Outcome.Applied, (await hub.IntendAsync(43, drained: false, Roles(Role.Primary), Cancellation)).Outcome);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task StartedOnAFullDisk_DoesWhatItWasLastTold()
    {
        var (center, hub, agent) = await StartOnItsOwnDiskAsync();
        await using var _ = hub;
        await hub.IntendAsync(1, drained: true, Roles(Role.Primary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        await agent.KillAsync(Cancellation);
        await center.Sandbox.ScriptAsync($"dd if=/dev/zero of={agent.State}/filler bs=4096 2>/dev/null || true", Cancellation);

        agent.StartAgain();

        Assert.Equal(1ul, (await hub.HelloAsync(2, Cancellation)).IntentRevision);
        await center.EstablishedAsync("a", Cancellation);
        await hub.ReportAsync("everything drained", r => r.Drained && r.Prefixes.All(p => !p.Announced) && r.Sessions.All(s => s.State == SessionState.Established), Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }

    [Fact]
    public async Task StateDirectoryReadOnly_DoesWhatItWasLastTold_AndRejectsWhatItCannotKeep()
    {
        var (center, hub, agent) = await StartOnItsOwnDiskAsync();
        await using var _ = hub;
        await hub.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);
        await agent.KillAsync(Cancellation);
        await center.Sandbox.ScriptAsync($"mount -o remount,ro {agent.State}", Cancellation);

        agent.StartAgain();

        await hub.HelloAsync(2, Cancellation);
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        await agent.SayAsync("cannot be written", Cancellation);
        Assert.Equal(IntentResult.Types.Outcome.Rejected, (await hub.IntendAsync(2, drained: true, Roles(Role.Primary), Cancellation)).Outcome);

        // The history needs no disk as long as there is a hub.
        await Eventually.SeeAsync("the refusal in the journal", _ => Task.FromResult(hub.Journal), journal => journal.Any(told => told.Entry is { Kind: "intent-rejected", OperationId: "test-2" }), Cancellation);
        hub.JournalHasNoGap();
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);

        await center.Sandbox.ScriptAsync($"mount -o remount,rw {agent.State}", Cancellation);
        Assert.Equal(IntentResult.Types.Outcome.Applied, (await hub.IntendAsync(3, drained: false, Roles(Role.Primary), Cancellation)).Outcome);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task NonsenseOnTheDisk_NothingIsAnnouncedAsPrimary_AndTheHubGetsWhatCanBeRead()
    {
        var (center, hub, agent) = await StartOnItsOwnDiskAsync();
        await using var _ = hub;
        await hub.IntendAsync(1, drained: false, Roles(Role.Secondary), Cancellation);
        await hub.KillAsync();
        await center.RouteServers[0].ResetAsync("a", Cancellation);
        await Eventually.SeeAsync("the loss in the log, and the session after it", agent.LogAsync, log => log.Split(" lost after ") is { Length: > 1 } parts && parts[^1].Contains(" established: hold ", StringComparison.Ordinal), Cancellation);
        await agent.KillAsync(Cancellation);
        var killed = hub.Journal[^1].Boot;
        var told = hub.Journal.Max(entry => entry.Entry.Sequence);
        // The first half of everything is overwritten; the journal's last lines can still be read.
        await center.Sandbox.ScriptAsync(
            $$"""
            cd {{agent.State}}
            for file in *.json journal/*; do
              half=$(( $(stat -c %s "$file") / 2 ))
              dd if=/dev/urandom of="$file" bs=1 count=$half conv=notrunc 2>/dev/null
            done
            """,
            Cancellation);
        var lines = (await center.Sandbox.RunAsync(null, ["sh", "-c", $"grep -aho '^{{\"seq\":[0-9]*' {agent.State}/journal/*.ndjson"], Cancellation)).Checked();
        var readable = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => ulong.Parse(line.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)).Where(sequence => sequence > told).ToList();

        agent.StartAgain();

        await center.EstablishedAsync("a", Cancellation);
        await agent.SayAsync("is damaged", Cancellation);
        await Eventually.SeeAsync(
            "no route as primary", c => center.RouteServers[0].PrefixesAsync("a", c), routes => routes.All(route => route.Communities == Addresses.Secondary), Cancellation);
        var before = hub.Hellos;
        await hub.StartAsync(Cancellation);
        await hub.HelloAsync(before + 1, Cancellation);
        await Eventually.SeeAsync("the entries of this start", _ => Task.FromResult(hub.Journal), journal => journal.Any(entry => entry.Entry.Kind == "session-established" && entry.Boot != killed), Cancellation);

        // And before them what can still be read of the life before: whole lines in the second half of its file, in their order, the last of all of them among them.
        var arrived = hub.Journal.Where(entry => entry.Boot == killed && entry.Entry.Sequence > told).Select(entry => entry.Entry).ToList();
        Assert.NotEmpty(arrived);
        Assert.Equal(readable, arrived.Select(entry => entry.Sequence));
        Assert.Equal("session-established", arrived[^1].Kind);
        Assert.Equal(IntentResult.Types.Outcome.Applied, (await hub.IntendAsync(9, drained: false, Roles(Role.Primary), Cancellation)).Outcome);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Theory]
    [InlineData("dd if=/dev/zero of={0}/filler bs=4096 2>/dev/null || true")]
    [InlineData("mount -o remount,ro {0}")]
    public async Task ManualFailback_OnADiskThatKeepsNothing_EachStartWaitsForAnOperator(string spoil)
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        await center.Sandbox.ScriptAsync($"mkdir -m 700 /run/control-a {Agent.StateOf("a")} && mount -t tmpfs -o size=256k,mode=700 tmpfs {Agent.StateOf("a")}", Cancellation);

        await center.Sandbox.ScriptAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, spoil, Agent.StateOf("a")), Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--failback", "manual", "--control", Control);

        for (var start = 0; start < 2; start++)
        {
            await agent.SayAsync("nobody can tell whether it was primary here before, because the state directory cannot be written", Cancellation);
            await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
            await agent.OrderAsync(["failback"], Control, Cancellation);
            await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
            await agent.KillAsync(Cancellation);
            agent.StartAgain();
        }
    }

    private async Task<(DataCenter Center, ScriptedHub Hub, Agent Agent)> StartOnItsOwnDiskAsync()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        await center.Sandbox.ScriptAsync($"mkdir -m 700 {Agent.StateOf("a")} && mount -t tmpfs -o size=256k,mode=700 tmpfs {Agent.StateOf("a")}", Cancellation);
        var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        return (center, hub, agent);
    }

    private static Dictionary<string, Role> Roles(Role role) => Addresses.Shared.ToDictionary(prefix => prefix, _ => role);
}
