using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.History.Stories;

/// <summary>One switchover from the request to what traffic felt of it, told by the hub itself: every part of the story is known by the same id.</summary>
[Trait("Kind", "Hub")]
public sealed class WholeStoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Switchover_WithAGapThatProbesSaw_IsOneStoryFromTheRequestToTheMeasuredOutage()
    {
        var address = new AddressInTheMiddle();
        await using WholeHub hub = await WholeHub.StartAsync(builder =>
        {
            WholeHub.WithRealOperations(builder);
            builder.Services.AddSingleton<IReachability>(p => p.GetRequiredService<ReachabilityView>());
            builder.Services.AddSingleton<IProbe>(address);
        });
        await using FakeAgent one = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-1", ProtoRole.Primary);
        await using FakeAgent two = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-2", ProtoRole.Secondary);
        await hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);

        // A node that says nothing for some seconds is not switched over to: they report as often as they are probed.
        address.OnProbe = () => Task.WhenAll(one.ReportAsync(), two.ReportAsync());
        await AnswersSinceAsync(hub, DateTimeOffset.MinValue);

        // The first node steps down and nobody answers, until a probe has seen that.
        one.OnIntent = intent =>
        {
            address.FallSilent();
            return TellAsync(one, intent, "announced 203.0.113.10/32 as secondary");
        };
        two.OnIntent = async intent =>
        {
            await address.Missed.WaitAsync(TimeSpan.FromSeconds(60), Stop);
            address.AnswerAgain();
            await TellAsync(two, intent, "announced 203.0.113.10/32 as primary");
        };
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        using HttpResponseMessage accepted = await script.PostAsJsonAsync("/api/v1/pairs/web/operations", new { type = "switchover", reason = "Kernel update of web-1", deadlineSeconds = 120 }, Stop);
        string id = (string)(await accepted.Content.ReadFromJsonAsync<JsonNode>(Stop))!["id"]!;
        OperationView ended = await hub.EndedAsync(id);
        Assert.True(ended.Status == OperationStatus.Succeeded, ended.Outcome);
        await AnswersSinceAsync(hub, DateTimeOffset.UtcNow);
        await Task.WhenAll(AcknowledgedAsync(one), AcknowledgedAsync(two));
        await hub.Get<HubWriter>().FlushAsync(Stop);
        JsonNode story = await ToldWithItsOutageAsync(hub, script, id);
        address.OnProbe = () => Task.CompletedTask;

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Assert.Equal((id, "Succeeded", "Kernel update of web-1"), ((string)story["operation"]!["id"]!, (string)story["operation"]!["status"]!, (string)story["operation"]!["reason"]!));
        JsonNode audit = Assert.Single(story["audit"]!.AsArray())!;
        Assert.Equal((id, "switchover", "accepted"), ((string)audit["correlationId"]!, (string)audit["action"]!, (string)audit["outcome"]!));
        Assert.Equal(["web-1", "web-2"], story["intents"]!.AsArray().Select(i => (string)i!["node"]!));
        Assert.Equal([id, id], one.Intents.Concat(two.Intents).Select(i => i.OperationId));
        JsonArray events = story["events"]!.AsArray();
        Assert.All(events, e => Assert.Equal(id, (string?)e!["operation"]));
        Assert.Empty(((string[])["operation-started", "operation-step", "operation-finished", "role-changed"]).Except(events.Select(e => (string)e!["kind"]!)));
        Assert.Equal(["web-1", "web-2"], events.Where(e => (string)e!["kind"]! == "role-changed").Select(e => (string)e!["node"]!).Order());
        JsonNode outage = Assert.Single(story["outages"]!.AsArray())!;
        Assert.Equal("203.0.113.10/32", (string)outage["prefix"]!);
        Assert.True((int)outage["unanswered"]! > 0 && (double)outage["longestMs"]! > 0 && outage["endedAt"] is not null, outage.ToJsonString());
    }

    private static Task TellAsync(FakeAgent agent, NodeIntent intent, string text)
    {
        var batch = new JournalBatch { BootId = "boot-1" };
        batch.Entries.Add(new JournalEntry { Sequence = 1, AtUnixMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), Kind = "role-changed", Prefix = "203.0.113.10/32", Text = text, OperationId = intent.OperationId });
        return agent.SendAsync(new AgentMessage { Journal = batch });
    }

    private static async Task AcknowledgedAsync(FakeAgent agent)
    {
        while (agent.Acks.IsEmpty)
        {
            await agent.ReceiveAsync();
        }
    }

    /// <summary>Probes are stored some at a time: asks again after each one until the gap is among them.</summary>
    private static async Task<JsonNode> ToldWithItsOutageAsync(WholeHub hub, HttpClient script, string id)
    {
        for (int asked = 0; ; asked++)
        {
            JsonNode story = JsonNode.Parse(await script.GetStringAsync($"/api/v1/operations/{id}/story", Stop))!;
            if (asked == 30 || story["outages"]!.AsArray().Any(o => o!["endedAt"] is not null))
            {
                return story;
            }

            await AnswersSinceAsync(hub, DateTimeOffset.UtcNow);
        }
    }

    /// <summary>Waits until a probe that was sent after that moment was answered and is stored.</summary>
    private static async Task AnswersSinceAsync(WholeHub hub, DateTimeOffset moment)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (var targets in hub.Get<IReachability>().WatchAsync(safety.Token))
        {
            if (targets.Any(t => t.Recent.Any(s => s.Answered && s.At > moment)))
            {
                return;
            }
        }

        throw new TimeoutException("No probe was answered.");
    }

    /// <summary>The shared address, as probes see it.</summary>
    private sealed class AddressInTheMiddle : IProbe
    {
        private readonly TaskCompletionSource _missed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _silent;

        /// <summary>Done when a probe had no answer.</summary>
        public Task Missed => _missed.Task;

        public ProbeMethod Method => ProbeMethod.Icmp;

        public int? Port => null;

        public Func<Task> OnProbe { get; set; } = () => Task.CompletedTask;

        public void FallSilent() => _silent = true;

        public void AnswerAgain() => _silent = false;

        public string? ProblemFor(IPAddress address) => null;

        public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
        {
            await OnProbe();

            // The machine's gateway is asked the same way. It answers: else the hub finds itself cut off, and what it misses then is no outage.
            if (!_silent || !address.Equals(IPAddress.Parse("203.0.113.10")))
            {
                return ProbeReply.Answered(TimeSpan.FromMilliseconds(1));
            }

            _missed.TrySetResult();
            return ProbeReply.Silent(timeout);
        }
    }
}
