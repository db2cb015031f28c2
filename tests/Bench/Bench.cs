using FailoverHub.Bench.Forwarding;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Rows;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench;

/// <summary>The run as a whole: makes the data center and the subjects, and asks row after row.</summary>
internal static class Bench
{
    private const string Native = "FailoverHub";
    private const string Jit = "FailoverHub JIT";
    private const string Linked = "FailoverHub with its hub";

    // With a hub that wants reports seldom: those of 10,000 prefixes each second of one subject would be in the figures of another.
    private static readonly TimeSpan _quietReports = TimeSpan.FromMinutes(1);

    public static async Task<Results> RunAsync(BenchOptions options, CancellationToken cancellation)
    {
        var results = new Results(MachineFacts.Read(await VersionsAsync(cancellation)), Native, [Native, Jit, Linked, FailedServices.Quick]);
        var run = new Run(options, results, cancellation);
        if (options.Forwards)
        {
            await MeasureForwardingAsync(run);
            return results;
        }

        if (options.Wants("codec"))
        {
            Codec.Measure(run);
        }

        await Networks.MakeAsync(cancellation);
        using var servers = new RouteServers();
        var number = 0;
        var (bird, frr, goBgp) = (new BirdSubject(await NodeAsync(), Board("BIRD")), new FrrSubject(await NodeAsync(), Board("FRR")), new GoBgpSubject(await NodeAsync(), Board("GoBGP")));
        var native = new AgentSubject(Native, options.Native, null, await NodeAsync(), Board(Native));
        var jit = new AgentSubject(Jit, options.Jit, null, await NodeAsync(), Board(Jit));
        Subject[] alone = [native, jit, bird, frr, goBgp];

        var (nativeNode, nativeBoard, jitNode, jitBoard) = (await NodeAsync(), Board(Native), await NodeAsync(), Board(Jit));
        await using var nativeHub = await BenchHub.StartAsync(nativeNode, _quietReports, cancellation);
        await using var jitHub = await BenchHub.StartAsync(jitNode, _quietReports, cancellation);
        Subject[] commanded =
        [
            new AgentSubject(Native, options.Native, nativeHub, nativeNode, nativeBoard), new AgentSubject(Jit, options.Jit, jitHub, jitNode, jitBoard), bird, frr, goBgp,
        ];
        var (linkedNode, linkedBoard) = (await NodeAsync(), Board(Linked));
        await using var linkedHub = await BenchHub.StartAsync(linkedNode, TimeSpan.Zero, cancellation);
        var linked = new AgentSubject(Linked, options.Native, linkedHub, linkedNode, linkedBoard);

        if (options.Wants("start"))
        {
            await ColdStart.MeasureAsync(run, alone);
        }

        if (options.Wants("goodbyes"))
        {
            await Goodbyes.MeasureAsync(run, alone);
        }

        if (options.Wants("idle"))
        {
            await Resting.MeasureIdleAsync(run, [.. alone, linked]);
        }

        if (options.Wants("commands"))
        {
            foreach (var count in (int[])[1, 1_000, Prefixes.Most])
            {
                await Commands.MeasureAsync(run, commanded, count);
            }

            await Commands.MeasureToolsAsync(run, [.. alone]);
        }

        if (options.Wants("local"))
        {
            await LocalCommands.MeasureAsync(run, alone);
        }

        if (options.Wants("full"))
        {
            await Resting.MeasureFullAsync(run, alone);
        }

        if (options.Wants("keepalives"))
        {
            await Lateness.MeasureAsync(run, alone);
        }

        return results;

        async Task<NodeNetwork> NodeAsync() => await Networks.AddNodeAsync(++number, cancellation);

        Board Board(string name) => servers.BoardOf(Networks.Node(number), name);
    }

    private static async Task MeasureForwardingAsync(Run run)
    {
        var lab = await ForwardingLab.MakeAsync(run.Cancellation);
        if (run.Options.Wants("moves"))
        {
            await Moves.MeasureAsync(run, lab);
        }

        if (run.Options.Wants("services"))
        {
            await FailedServices.MeasureAsync(run, lab);
        }

        if (run.Options.Wants("returns"))
        {
            await Returns.MeasureAsync(run, lab);
        }
    }

    private static async Task<string> VersionsAsync(CancellationToken cancellation)
    {
        var lines = await Command.RunAsync(["sh", "-c", "bird --version 2>&1; /usr/lib/frr/bgpd --version | head -1; gobgpd --version"], cancellation);
        return string.Join(", ", lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()));
    }
}
