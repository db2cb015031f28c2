using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Forwarding;

/// <summary>
/// The service of the primary fails while its daemon lives, and a check finds it: ours beside keepalived's, which runs the same command as often. Ours withdraws the address;
/// keepalived's gives up its mastership.
/// </summary>
internal static class FailedServices
{
    /// <summary>Ours once more, asking again sooner while a failure is pending, which keepalived cannot.</summary>
    public const string Quick = "FailoverHub, asking again after 0.2 s";

    // keepalived knows whole seconds between two runs.
    private const int Interval = 1;
    private const int Fall = 2;

    private static string Healthy => "/run/bench/healthy";

    public static async Task MeasureAsync(Run run, ForwardingLab lab)
    {
        Row outage = new("forwarding.check", $"service fails; check each {Interval} s, {Fall} failures → outage", "ms");
        Row lost = new("forwarding.check.lost", "… lost meanwhile", "pings");
        Row back = new("forwarding.check.back", "service works again → the client is back", "ms");
        Row backLost = new("forwarding.check.back.lost", "… lost meanwhile", "pings");
        for (var round = 1; round <= run.Options.Rounds; round++)
        {
            await OursAsync("FailoverHub", Interval);
            await OursAsync(Quick, 0.2);
            await KeepalivedAsync("keepalived", "1");
            await KeepalivedAsync("keepalived, adverts each 0.1 s", "0.1");
            run.Progress($"failed services, round {round} of {run.Options.Rounds}");
        }

        run.Results.Add("A service that fails, the client pinging every 10 ms", outage, lost, back, backLost);

        async Task OursAsync(string name, double fastInterval)
        {
            File.WriteAllText(Healthy, "");
            var file = $"/run/bench/check-{fastInterval:0.0}.json";
            File.WriteAllText(file, FormattableString.Invariant($$"""
                { "checks": [ { "name": "service", "command": { "run": ["/usr/bin/test", "-e", "{{Healthy}}"] }, "interval": {{Interval}}, "fastInterval": {{fastInterval}}, "fall": {{Fall}}, "rise": {{Fall}} } ] }
                """));
            var a = new AgentSubject(name, run.Options.Native, null, lab.A, new Board(name)) { More = ["--config", file] };
            var b = new AgentSubject(name, run.Options.Native, null, lab.B, new Board(name));
            var view = new ClientView(run, lab, name, () => $"Log of a ends with:\n{a.LastWords()}\nlog of b:\n{b.LastWords()}");
            await b.StartAsync(1, run.Cancellation);
            await view.SessionsAsync(lab.B);
            await (await b.PrepareLocalAsync(Route.Secondary, run.Cancellation))();
            await a.StartAsync(1, run.Cancellation);
            await view.SessionsAsync(lab.A);
            await FailAsync(view);
            await a.StopAsync(run.Cancellation);
            await b.StopAsync(run.Cancellation);
            await Pause.ForAsync(ClientView.Settle, run.Cancellation);
        }

        async Task KeepalivedAsync(string name, string adverts)
        {
            File.WriteAllText(Healthy, "");
            var check = new Keepalived.Check($"/usr/bin/test -e {Healthy}", Interval, Fall);
            await using var a = await Keepalived.StartAsync(lab.A, ForwardingLab.Host, adverts, isPrimary: true, check, run.Cancellation);
            await using var b = await Keepalived.StartAsync(lab.B, ForwardingLab.Host, adverts, isPrimary: false, null, run.Cancellation);
            await ForwardingLab.ReachBySegmentAsync(true, run.Cancellation);
            await FailAsync(new ClientView(run, lab, name, () => $"Log of a ends with:\n{a.LastWords()}\nlog of b:\n{b.LastWords()}"));
            await ForwardingLab.ReachBySegmentAsync(false, run.Cancellation);
        }

        async Task FailAsync(ClientView view)
        {
            // The client comes to a first, and the moment of the failure has nothing to do with that of the last check.
            var pinger = await lab.StartPingsAsync();
            await view.SeeAtAsync(pinger, "a", System.Diagnostics.Stopwatch.GetTimestamp());
            await pinger.StopAsync();
            await Pause.ForAsync(ClientView.Settle + (Random.Shared.NextDouble() * TimeSpan.FromSeconds(Interval)), run.Cancellation);
            await view.FailAsync(outage, lost, "b", () =>
            {
                lab.ServiceOfA.IsBroken = true;
                File.Delete(Healthy);
                return Task.CompletedTask;
            });
            await view.MoveAsync(back, backLost, "a", () =>
            {
                lab.ServiceOfA.IsBroken = false;
                File.WriteAllText(Healthy, "");
                return Task.CompletedTask;
            });
        }
    }
}
