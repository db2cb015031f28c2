using System.Diagnostics;
using System.Globalization;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bench.Lab;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Bench.InProcess;

/// <summary>
/// How late keepalives leave when the machine or the process is busy with something else: the speaker's own metric, of many sessions at a
/// hold time of three seconds, with its thread at ordinary priority and as urgent as this machine permits.
/// </summary>
internal static class KeepaliveLateness
{
    private const int Sessions = 40;

    /// <param name="seconds">Of each row.</param>
    /// <param name="output">Where the table goes, in Markdown.</param>
    public static async Task RunAsync(int seconds, TextWriter output)
    {
        await output.WriteLineAsync($"Lateness of keepalives: {Sessions} sessions, hold time 3 s, {seconds} s each, {Environment.ProcessorCount} processors\n");
        await output.WriteLineAsync("| load | thread | keepalives | median ms | p99 ms | worst ms | sessions lost | GC: collections, total pause ms, longest ms |");
        await output.WriteLineAsync("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
        foreach (var load in Enum.GetValues<Load>())
        {
            foreach (var isUrgent in new[] { false, true })
            {
                await output.WriteLineAsync(await RowAsync(load, isUrgent, TimeSpan.FromSeconds(seconds)));
            }
        }
    }

    private static async Task<string> RowAsync(Load load, bool isUrgent, TimeSpan length)
    {
        using var neighbors = new KeepaliveEcho(Sessions);
        using var speaker = new BgpSpeaker(neighbors.Endpoints.Select(Peer), _ => true, TimeProvider.System, NullLogger<BgpSpeaker>.Instance) { IsUrgent = isUrgent };
        speaker.SetAdvertisements(1, []);
        speaker.Start();
        while ((await speaker.ReadAsync(CancellationToken.None)).Any(peer => peer.State != SessionState.Established))
        {
            await Pause.ForAsync(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }

        var late = new List<double>();
        var sent = neighbors.Endpoints.ToDictionary(endpoint => endpoint, endpoint => speaker.Metrics(endpoint).MessagesSent);
        var worst = TimeSpan.Zero;
        var (collections, paused) = (GC.CollectionCount(0), GC.GetTotalPauseDuration());
        using (var pressure = Pressure.Begin(load))
        {
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed < length)
            {
                pressure.Watch(TimeSpan.FromMilliseconds(100));
                pressure.SeeLongestPause();
                foreach (var endpoint in neighbors.Endpoints)
                {
                    var metrics = speaker.Metrics(endpoint);
                    if (metrics.MessagesSent != sent[endpoint] && metrics.LastKeepaliveLateness > TimeSpan.Zero)
                    {
                        sent[endpoint] = metrics.MessagesSent;
                        late.Add(metrics.LastKeepaliveLateness.TotalMilliseconds);
                        worst = metrics.MostKeepaliveLateness > worst ? metrics.MostKeepaliveLateness : worst;
                    }
                }
            }

            collections = GC.CollectionCount(0) - collections;
            paused = GC.GetTotalPauseDuration() - paused;
            late.Sort();
            speaker.Stop("measured");
            speaker.Ended.GetAwaiter().GetResult();
            var lost = neighbors.Accepted - Sessions;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Pressure.Name(load)} | {(isUrgent ? "urgent" : "ordinary")} | {late.Count} | {late[late.Count / 2]:0.00} | {late[late.Count * 99 / 100]:0.00} | {worst.TotalMilliseconds:0.00} | {lost} | {collections}, {paused.TotalMilliseconds:0}, {pressure.LongestPause.TotalMilliseconds:0.0} |");
        }
    }

    private static PeerOptions Peer(NeighborEndpoint endpoint) => new()
    {
        Neighbor = endpoint,
        Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x0a000001), HoldTime = new HoldTime(3) },
    };
}
