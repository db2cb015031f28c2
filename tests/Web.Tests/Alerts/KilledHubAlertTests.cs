using System.Net;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Tests.Operations.Killed;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>The built hub with real streams of nodes, killed with -9 while its receiver is just taking a message.</summary>
[Trait("Kind", "Process")]
public sealed class KilledHubAlertTests
{
    [Fact]
    public async Task HubKilledWhileAMessageIsOnItsWay_TheNextOneSendsItAgainAndEndsTheSameAlert()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        var never = new TaskCompletionSource<(int, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = _ => never.Task;
        await using KillLab lab = await KillLab.StartAsync("web");
        SessionReport session = lab.One("web").State.Sessions[0];
        session.State = SessionState.Active;
        await lab.Hub.UntilAsync("/api/v1/pairs/web", pair => pair["members"]![0]!["sessions"] is { } s && (int)s["established"]! < (int)s["configured"]!);
        Assert.Equal(HttpStatusCode.Created, await lab.Hub.PostAsync("/api/v1/alert-channels", $$"""{"name":"Hook","type":"webhook","url":"{{new Uri(receiver.Url, "/hook").AbsoluteUri}}"}"""));
        Assert.Equal(HttpStatusCode.Created, await lab.Hub.PostAsync("/api/v1/alert-rules", """{"name":"Any session","kind":"sessions-down","severity":"critical","threshold":1}"""));

        (string delivery, string alert) = await NextAsync(receiver, "alert.raised");
        await lab.KillAndRestartAsync();
        receiver.Answer = _ => Task.FromResult((204, ""));
        (string again, string sameAlert) = await NextAsync(receiver, "alert.raised");
        await lab.Hub.UntilAsync($"/api/v1/alerts/{alert}", story => story["deliveries"]!.AsArray().Any(d => (string?)d!["state"] == "delivered"));
        await lab.KillAndRestartAsync();
        session.State = SessionState.Established;
        (_, string ended) = await NextAsync(receiver, "alert.resolved");

        Assert.Equal((delivery, alert, alert), (again, sameAlert, ended));
        JsonArray all = (await lab.Hub.GetAsync("/api/v1/alerts"))["items"]!.AsArray();
        Assert.Equal(["resolved"], all.Where(a => (string?)a!["rule"] == "Any session").Select(a => (string?)a!["state"]));
        Assert.True((bool)(await lab.Hub.GetAsync("/api/v1/audit/verify"))["intact"]!);
    }

    // Other rules tell of the same sessions after a while.
    private static async Task<(string Delivery, string Alert)> NextAsync(Receiver receiver, string kind)
    {
        while (true)
        {
            Received received = await receiver.NextAsync();
            JsonNode body = JsonNode.Parse(received.Body)!;
            if ((string?)body["event"] == kind && (string?)body["alerts"]![0]!["rule"] == "Any session")
            {
                return (received.Headers["X-FailoverHub-Delivery"], (string)body["alerts"]![0]!["id"]!);
            }
        }
    }
}
