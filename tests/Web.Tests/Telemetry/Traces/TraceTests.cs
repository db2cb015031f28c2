using System.Net.Http.Json;
using System.Text.Json;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Telemetry.Traces;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Telemetry.Traces.Otlp;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Trace;
using Link = FailoverHub.Web.Tests.Telemetry.Traces.Otlp.Link;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Telemetry.Traces;

/// <summary>From the request to the UPDATE, as a collector gets it: the hub on real ports, agents on a real stream, spans by OTLP.</summary>
[Collection(OneHubInTheProcess.Name)]
[Trait("Kind", "Hub")]
public sealed class TraceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Switchover_IsOneTraceFromTheRequestToTheUpdates_WithTheIdOfItsAudit(bool grpc)
    {
        await using Collector collector = await Collector.StartAsync();
        await using WholeHub hub = await StartAsync(grpc ? collector.Grpc : collector.Http, grpc);
        await using FakeAgent a = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-1", ProtoRole.Primary);
        await using FakeAgent b = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-2", ProtoRole.Secondary);
        await UntilHealthyAsync(hub);

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Operate)).PostAsJsonAsync("/api/v1/pairs/web/operations", new { type = "switchover", reason = "Kernel update" }, Stop);
        string id = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Stop)).RootElement.GetProperty("id").GetString()!;
        await hub.EndedAsync(id);
        hub.Get<TracerProvider>().ForceFlush();
        List<Span> spans = await collector.TraceAsync(id, "operation switchover");

        // The correlation id of the audit is the id of the trace.
        AuditEntry audited = Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "switchover" }, null, 10, Stop)).Items);
        Assert.Equal(id, audited.CorrelationId);
        Assert.Equal("failoverhub", collector.ServiceName);

        Span request = Named(spans, "request switchover");
        Span operation = Named(spans, "operation switchover");
        Assert.Equal("", Collector.Hex(request.ParentSpanId));
        Assert.All([Named(spans, "rules"), Named(spans, "transaction"), operation], s => Assert.Equal(request.SpanId, s.ParentSpanId));
        Assert.Equal("Succeeded", Tag(operation, "failoverhub.status"));
        foreach ((string node, string step) in (ReadOnlySpan<(string, string)>)[("web-1", "Demote web-1 to secondary"), ("web-2", "Promote web-2 to primary")])
        {
            Assert.Equal(operation.SpanId, Named(spans, step).ParentSpanId);
            Span intent = Named(spans, $"intent {node}");
            Assert.Equal(operation.SpanId, intent.ParentSpanId);
            Assert.Equal("applied", Tag(intent, "failoverhub.outcome"));
            Span onTheNode = Named(spans, $"{node}: receipt to answer");
            Assert.Equal(intent.SpanId, onTheNode.ParentSpanId);
            Span disk = Named(spans, $"{node}: to the disk");
            Span update = Named(spans, $"{node}: UPDATE on 4 sessions");
            Assert.All([disk, update], s => Assert.Equal(onTheNode.SpanId, s.ParentSpanId));
            Assert.Equal(disk.EndTimeUnixNano, update.StartTimeUnixNano);
            Assert.Equal(FakeAgent.ToTheDisk, TimeSpan.FromMicroseconds((disk.EndTimeUnixNano - disk.StartTimeUnixNano) / 1_000));
            Assert.Equal(onTheNode.EndTimeUnixNano, update.EndTimeUnixNano);
        }

        // What the HTTP request was is linked, and its own span is in the trace of whoever sent it.
        Assert.Equal("POST /api/v1/pairs/web/operations", Tag(request, "failoverhub.surrounding"));
        Link around = Assert.Single(request.Links);
        List<Span> http = await collector.TraceAsync(Collector.Hex(around.TraceId), "POST /api/v1/pairs/{pair}/operations");
        Assert.Contains(http, s => s.SpanId == around.SpanId && s.Links.Any(l => l.TraceId == request.TraceId && l.SpanId == request.SpanId));
    }

    [Fact]
    public async Task RefusedRequest_IsATraceWithoutAnOperation()
    {
        await using Collector collector = await Collector.StartAsync();
        await using WholeHub hub = await StartAsync(collector.Grpc, grpc: true);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        string trace = "0af7651916cd43dd8448eb211c80319c";
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v1/pairs/web/operations") { Content = JsonContent.Create(new { type = "switchover", reason = "Kernel update" }) };
        message.Headers.Add("traceparent", $"00-{trace}-b7ad6b7169203331-01");

        using HttpResponseMessage answer = await script.SendAsync(message, Stop);
        hub.Get<TracerProvider>().ForceFlush();

        List<Span> http = await collector.TraceAsync(trace, "POST /api/v1/pairs/{pair}/operations");
        Link asked = Assert.Single(Assert.Single(http).Links);
        Assert.DoesNotContain(await collector.TraceAsync(Collector.Hex(asked.TraceId), "request switchover"), s => s.Name.StartsWith("operation", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WithoutAnEndpoint_NothingIsTracedAndNoIntentCarriesATrace()
    {
        await using WholeHub hub = await StartAsync(null, grpc: true);
        await using FakeAgent a = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-1", ProtoRole.Primary);
        await using FakeAgent b = await FakeAgent.StartAsync($"{hub.AgentUrl}", "web-2", ProtoRole.Secondary);
        await UntilHealthyAsync(hub);

        var accepted = (SubmitResult.Accepted)await hub.Get<IOperations>().SubmitAsync(new OperationRequest { Type = OperationType.Switchover, Pair = "web", Reason = "Kernel update" }, WholeHub.Tester, Stop);
        await hub.EndedAsync(accepted.OperationId);

        Assert.Null(hub.App.Services.GetService<TracerProvider>());
        Assert.All(a.Intents.Concat(b.Intents), i => Assert.Equal("", i.TraceParent));
    }

    [Theory]
    [InlineData("", 1_700_000_000_000_000, 10, 20)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 0, 10, 20)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", long.MaxValue, 10, 20)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 1_700_000_000_000_000, 10, ulong.MaxValue)]
    public void TimesThatMakeNoSense_AreNotRead(string parent, long received, ulong stored, ulong answered) =>
        Assert.Null(FailoverHub.Web.Agents.AgentMapping.TimesOf(new IntentResult { Times = new IntentTimes { TraceParent = parent, ReceivedUnixUs = received, StoredAfterUs = stored, AnsweredAfterUs = answered } }));

    [Theory]
    [InlineData("127.0.0.1:4317")]
    [InlineData("ftp://127.0.0.1")]
    public void Endpoint_ThatIsNoAddress_IsRefusedWithAWordOnWhatToWrite(string endpoint)
    {
        HubOptionsResult parsed = HubOptions.Parse(new HubSettings { TraceEndpoint = endpoint });

        Assert.Contains(parsed.Problems, p => p.Contains("FAILOVERHUB_OTLP_ENDPOINT", StringComparison.Ordinal) && p.Contains("http://127.0.0.1:4317", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("FAILOVERHUB_OTLP_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT")]
    public void Endpoint_IsTakenFromOursOrTheStandardsVariable(string variable)
    {
        HubSettings settings = HubSettings.Layer(new HubSettings(), name => name == variable ? "http://192.0.2.9:4317" : null, HubSettings.ReadFile());

        Assert.Equal(new Uri("http://192.0.2.9:4317"), HubOptions.Parse(settings).Options!.TraceEndpoint);
    }

    private static Task<WholeHub> StartAsync(Uri? endpoint, bool grpc) => WholeHub.StartAsync(builder =>
    {
        WholeHub.WithRealOperations(builder);
        if (!grpc)
        {
            builder.Services.PostConfigureAll<OpenTelemetry.Exporter.OtlpExporterOptions>(o => (o.Protocol, o.Endpoint) = (OpenTelemetry.Exporter.OtlpExportProtocol.HttpProtobuf, new Uri(endpoint!, "v1/traces")));
        }

        builder.Services.AddHubTraces(endpoint);
    });

    private static Task<FleetSnapshot> UntilHealthyAsync(WholeHub hub) => hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);

    private static Span Named(List<Span> spans, string name) => Assert.Single(spans, s => s.Name == name);

    private static string? Tag(Span span, string key) => span.Attributes.FirstOrDefault(a => a.Key == key)?.Value.StringValue;
}
