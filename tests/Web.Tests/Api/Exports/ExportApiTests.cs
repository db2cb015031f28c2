using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using CsvHelper;
using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Api.Exports;

[Trait("Kind", "Hub")]
public sealed class ExportApiTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static readonly DateTimeOffset At = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>What a spreadsheet would run must not begin a field, in whichever column an agent or an operator can put it.</summary>
    [Theory]
    [InlineData("=HYPERLINK(\"http://192.0.2.1\",\"x\")")]
    [InlineData("+1+1")]
    [InlineData("-2+3+cmd|' /C calc'!A0")]
    [InlineData("@SUM(1)")]
    [InlineData("\uFF1D1+1")]
    public async Task Csv_FieldThatWouldBeAFormula_BeginsWithAnApostrophe(string formula)
    {
        WholeHub hub = shared.Fresh();
        string kind = await AppendAsync(hub, formula);

        List<string[]> rows = await CsvAsync(await hub.ScriptAsync(ApiScope.Read), $"/api/v1/events/export?kind={kind}");

        Assert.Equal("'" + formula, rows[1][8]);
    }

    [Fact]
    public async Task Csv_TextWithCommasQuotesAndLines_IsReadBackAsItWas()
    {
        WholeHub hub = shared.Fresh();
        string kind = await AppendAsync(hub, "one, \"two\"; three");

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync($"/api/v1/events/export?format=csv&kind={kind}", Stop);
        List<string[]> rows = Rows(await answer.Content.ReadAsStringAsync(Stop));

        Assert.Equal("text/csv; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        Assert.Matches(@"\Afailoverhub-events-\d{8}T\d{6}Z\.csv\z", answer.Content.Headers.ContentDisposition.FileName!);
        Assert.Equal(["id", "at", "recordedAt", "kind", "severity", "pair", "node", "prefix", "text", "operation"], rows[0]);
        Assert.Equal(["2026-05-04T12:00:00.000Z", kind, "warning", "web", "one, \"two\"; three"], [rows[1][1], rows[1][3], rows[1][4], rows[1][5], rows[1][8]]);
        Assert.Equal(2, rows.Count);
    }

    /// <summary>More than two of the pages that an export is read in, none lost and none repeated, and only what the filter finds.</summary>
    [Fact]
    public async Task Json_OfManyEvents_HasEachThatTheFilterFindsOnce()
    {
        WholeHub hub = shared.Fresh();
        string kind = await AppendAsync(hub, [.. Enumerable.Range(1, 1_203).Select(i => i % 2 == 0 ? $"even {i}" : $"odd {i}")]);

        JsonArray items = JsonNode.Parse(await (await hub.ScriptAsync(ApiScope.Read)).GetStringAsync($"/api/v1/events/export?format=json&kind={kind}&text=odd", Stop))!.AsArray();

        Assert.Equal(Enumerable.Range(1, 1_203).Where(i => i % 2 == 1).Reverse().Select(i => $"odd {i}"), items.Select(i => (string)i!["text"]!));
    }

    [Fact]
    public async Task Json_OfNothing_IsAnEmptyArray()
    {
        WholeHub hub = shared.Fresh();

        Assert.Empty(JsonNode.Parse(await (await hub.ScriptAsync(ApiScope.Read)).GetStringAsync("/api/v1/audit/export?format=json&action=no-such", Stop))!.AsArray());
    }

    [Fact]
    public async Task AuditExport_ByABrowserThatIsSignedIn_IsTheFilteredAudit()
    {
        WholeHub hub = shared.Fresh();
        await hub.TokenAsync("for-export", ApiScope.Read);

        List<string[]> rows = await CsvAsync(await hub.SignedInAsync(), "/api/v1/audit/export?action=token-created&text=for-export");

        Assert.Equal(["token-created", "token for-export", "accepted"], [rows[1][6], rows[1][7], rows[1][9]]);
        Assert.Equal(2, rows.Count);
    }

    [Theory]
    [InlineData("/api/v1/events/export?format=xml", "format")]
    [InlineData("/api/v1/events/export?limit=5", "limit")]
    [InlineData("/api/v1/audit/export?severity=info", "severity")]
    public async Task Export_AskedForWrongly_IsRefusedBeforeItBegins(string path, string parameter)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync(path, Stop);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull(JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!["errors"]![parameter]);
    }

    [Fact]
    public async Task AuditChain_Downloaded_IsVerifiedByTheCommandsCheck_AndSignedToItsEnd()
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        await using Stream file = await script.GetStreamAsync("/api/v1/audit/chain", Stop);
        AuditVerification result = (await ChainFileCheck.CheckAsync(file, new HashSet<string> { hub.Get<AuditKey>().Id }, [], Stop)).Result!;

        Assert.True(result.Intact, string.Join(' ', result.Problems.Select(p => p.Text)));
        Assert.Equal((result.Entries, result.HeadHash), (result.LastCheckpoint!.EntryId, result.LastCheckpoint.EntryHash));
        JsonNode newest = JsonNode.Parse(await script.GetStringAsync("/api/v1/audit/checkpoints?limit=1", Stop))!["items"]![0]!;
        Assert.Equal(result.LastCheckpoint.Signature, (string?)newest["signature"]);
    }

    private static async Task<string> AppendAsync(WholeHub hub, params string[] texts)
    {
        string kind = $"kind-{Guid.NewGuid():N}";
        foreach (string text in texts)
        {
            hub.Get<EventLog>().Append(new EventDraft { At = At, Kind = kind, Severity = EventSeverity.Warning, Pair = "web", Text = text });
        }

        await hub.Get<HubWriter>().FlushAsync(Stop);
        return kind;
    }

    private static async Task<List<string[]>> CsvAsync(HttpClient client, string path) => Rows(await client.GetStringAsync(path, Stop));

    private static List<string[]> Rows(string csv)
    {
        using var reader = new CsvParser(new StringReader(csv), CultureInfo.InvariantCulture);
        var rows = new List<string[]>();
        while (reader.Read())
        {
            rows.Add([.. reader.Record!]);
        }

        return rows;
    }
}
