using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Rules, maintenance windows, alerts and shelves that name a node are about it still when it has another name, in memory and on the disk.</summary>
[Trait("Kind", "Hub")]
public sealed class RenamedNodeAlertTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RulesAndWindowsOfANode_FollowItToAnotherName()
    {
        using var data = new TemporaryFolder();
        string[] rules;
        string window;
        await using (WholeHub hub = await WholeHub.StartAsync(WholeHub.WithRealOperations, agentUrl: "https://127.0.0.1:0", data: data.Path, keepsData: true))
        {
            HttpClient script = hub.Browser();
            script.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await hub.Get<ApiTokens>().CreateAsync("test", ApiScope.Admin, ApiTokens.DefaultLifetime, WholeHub.Tester, Stop)).Token);
            using var node = new TestNode();
            await node.JoinAsync(hub.AgentUrl.AbsoluteUri, (string)(await PostAsync(script, "join-tokens", "{}"))["token"]!, "web-1");
            await hub.UntilAsync(s => s.FindNode("web-1") is not null);
            rules =
            [
                (string)(await PostAsync(script, "alert-rules", """{"name":"Mine","kind":"node-link","severity":"critical","states":["Offline"],"nodes":["WEB-1","other"]}"""))["id"]!,
                (string)(await PostAsync(script, "alert-rules", """{"name":"Not mine","kind":"node-link","severity":"critical","states":["Offline"],"nodes":["web-10"]}"""))["id"]!,
            ];
            window = (string)(await PostAsync(script, "maintenance-windows", $$"""{"scope":"node","target":"web-1","until":"{{TimeProvider.System.GetUtcNow().AddHours(1):O}}","reason":"Kernel update"}"""))["id"]!;

            Assert.IsType<NodeChange.Done>(await hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "new naming scheme", WholeHub.Tester, Stop));

            Look(hub.Get<AlertSettings>(), hub.Get<IMaintenance>());
        }

        await using WholeHub again = await WholeHub.StartAsync(WholeHub.WithRealOperations, data: data.Path, keepsData: true);
        Look(again.Get<AlertSettings>(), again.Get<IMaintenance>());

        void Look(AlertSettings settings, IMaintenance maintenance)
        {
            Assert.Equal(["lon-a", "other"], settings.FindRule(rules[0])!.Nodes);
            Assert.Equal(["web-10"], settings.FindRule(rules[1])!.Nodes);
            Assert.Equal([2, 1], rules.Select(rule => settings.FindRule(rule)!.Revision));
            Assert.Equal("lon-a", Assert.Single(maintenance.Standing, w => w.Id == window).Target);
        }
    }

    [Fact]
    public async Task AlertsAndShelvesOfANode_FollowItToAnotherNameAndTheShelvesGoWithIt()
    {
        using var data = new TemporaryFolder();
        await using (WholeHub hub = await WholeHub.StartAsync(WholeHub.WithRealOperations, agentUrl: "https://127.0.0.1:0", data: data.Path, keepsData: true))
        {
            HttpClient script = hub.Browser();
            script.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await hub.Get<ApiTokens>().CreateAsync("test", ApiScope.Admin, ApiTokens.DefaultLifetime, WholeHub.Tester, Stop)).Token);
            using var node = new TestNode();
            await node.JoinAsync(hub.AgentUrl.AbsoluteUri, (string)(await PostAsync(script, "join-tokens", "{}"))["token"]!, "web-1");
            await hub.UntilAsync(s => s.FindNode("web-1") is not null);
            await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
            db.Alerts.Add(AlertRecords.ToEntity(new Alert
            {
                Id = Guid.CreateVersion7().ToString("N"), Key = new AlertKey("silent-node", "node:web-1"), Kind = AlertKind.NodeLink, RuleName = "Silent node", Severity = EventSeverity.Warning,
                About = "node web-1", Node = "web-1", Text = "web-1 has not been heard.", RaisedAt = TimeProvider.System.GetUtcNow(),
            }));
            await db.SaveChangesAsync(Stop);
        }

        // A hub that was just started does not judge who is silent: the alert stands.
        await using (WholeHub hub = await WholeHub.StartAsync(WholeHub.WithRealOperations, agentUrl: "https://127.0.0.1:0", data: data.Path, keepsData: true))
        {
            IAlerts alerts = hub.Get<IAlerts>();
            Assert.IsType<AlertResult.Done>(await alerts.ChangeAsync(Assert.Single(alerts.Current.Active).Id, new AlertChangeRequest.Shelve(TimeSpan.FromDays(30), "Parts are on their way"), WholeHub.Tester, Stop));
            Assert.IsType<NodeChange.Done>(await hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "new naming scheme", WholeHub.Tester, Stop));

            Look(alerts);
            await hub.Get<AlertRoom>().LookAsync(Stop);
            Look(alerts);
        }

        await using WholeHub again = await WholeHub.StartAsync(WholeHub.WithRealOperations, data: data.Path, keepsData: true);
        Look(again.Get<IAlerts>());
        Assert.IsType<NodeChange.Done>(await again.Get<NodeChanges>().RemoveAsync("lon-a", "broken for good", WholeHub.Tester, Stop));

        Assert.Empty((await again.Get<AlertStore>().LoadAsync(TimeProvider.System.GetUtcNow(), Stop)).Shelves);
        Assert.All(again.Get<IAlerts>().Current.Active, a => Assert.Null(a.Shelf));

        static void Look(IAlerts alerts)
        {
            Alert alert = Assert.Single(alerts.Current.Active);
            Assert.Equal(("node:lon-a", "lon-a", "node lon-a"), (alert.Key.Subject, alert.Node, alert.About));
            Assert.Equal("tester", alert.Shelf?.By);
        }
    }

    private static async Task<JsonNode> PostAsync(HttpClient script, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await script.PostAsync($"/api/v1/{path}", content, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created, text);
        return JsonNode.Parse(text)!;
    }
}
