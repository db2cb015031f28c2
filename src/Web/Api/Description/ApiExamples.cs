using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api.Description;

/// <summary>Examples of the document, by operation. A test holds each of them against its schema.</summary>
internal static class ApiExamples
{
    private const string Pair =
        """
        {"id":"0199a1b2c3d4","name":"web","state":"Healthy","failback":{"policy":"after-stable","stableSeconds":60},"failbackIsSet":false,"preferredNode":"node-a","activeNode":"node-a",
         "activeNodeBasis":"observed","prefixes":["203.0.113.10/32"],"revision":7,"freeze":null,"operation":null,
         "members":[{"node":"node-a","link":"Connected","lastReportAt":"2026-11-22T14:00:00.000Z","drained":false,"locallyDrained":false,"health":"Healthy",
           "sessions":{"established":4,"configured":4},
           "prefixes":[{"prefix":"203.0.113.10/32","assignedRole":"primary","reportedRole":"primary","announced":true,"withdrawnReason":null,"health":"Healthy",
             "failback":{"policy":"after-stable","stableSeconds":60},"failbackHold":null,"damped":false,"localRole":null}]}],"claimants":[],
         "activeObservedAt":"2026-11-22T14:00:00.100Z",
         "answers":[{"prefix":"203.0.113.10/32","node":"node-a","at":"2026-11-22T14:00:00.100Z","ttl":61,"problem":null,"text":null,"since":null}],"sharedHost":null}
        """;

    private const string Switchover = """{"type":"switchover","reason":"Kernel update of node-a","target":"node-b","expectedRevision":7}""";
    private const string Drain = """{"type":"drain","reason":"Kernel update"}""";
    private const string Accepted = """{"id":"0199a1b2c3d4e5f6a7b8c9d0e1f20304"}""";

    private const string Refused =
        """
        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.13","title":"Refused by SR-04 ExpectedRevision","status":412,
         "detail":"The pair is at revision 8, not 7: somebody changed it meanwhile.","ruleId":"SR-04","rule":"ExpectedRevision","remedy":"Look at the pair again, then decide again.",
         "canOverride":false,"blockingRules":[]}
        """;

    public static void AddTo(OpenApiOperation operation)
    {
        switch (operation.OperationId)
        {
            case "getPair":
                Answer(operation, "200", Pair);
                break;
            case "startPairOperation" or "previewPairOperation":
                Request(operation, Switchover);
                Answer(operation, "202", Accepted);
                Answer(operation, "412", Refused);
                break;
            case "startNodeOperation" or "previewNodeOperation":
                Request(operation, Drain);
                Answer(operation, "202", Accepted);
                break;
            default:
                break;
        }
    }

    private static void Request(OpenApiOperation operation, string example) => Set(operation.RequestBody?.Content, example);

    private static void Answer(OpenApiOperation operation, string status, string example)
    {
        if (operation.Responses?.TryGetValue(status, out IOpenApiResponse? answer) == true)
        {
            Set(answer.Content, example);
        }
    }

    private static void Set(IDictionary<string, OpenApiMediaType>? content, string example)
    {
        foreach (OpenApiMediaType media in content?.Values ?? [])
        {
            media.Example = JsonNode.Parse(example);
        }
    }
}
