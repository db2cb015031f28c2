using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Node;
using YamlDotNet.RepresentationModel;

namespace FailoverHub.Agent.Tests.Service;

/// <summary>The manifest that is shipped: it is YAML, the agent knows everything that it is given there, and the parts fit each other.</summary>
public sealed class KubernetesTests
{
    private const string ConfigurationPath = "/etc/failoverhub";

    private static readonly List<YamlMappingNode> _documents = Load();

    public static TheoryData<string, string> Roles => new() { { "primary", nameof(Role.Primary) }, { "secondary", nameof(Role.Secondary) } };

    [Theory]
    [MemberData(nameof(Roles))]
    public void Agent_KnowsItsFlagsItsFileAndItsVariables(string role, string expected)
    {
        var options = Read(role);

        Assert.Equal(expected, options.DefaultRole.ToString());
        Assert.Equal("the-node", options.Node);
        Assert.Equal("/state", options.StateDirectory);
        Assert.Equal(AddressMode.Managed, options.Addresses.Mode);
        Assert.Equal(2, options.Announce.Length);
        Assert.Equal(2, options.Checks.Length);
        Assert.Empty(options.Warnings);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Probes_AskTheControlSocketAndTheMetrics_WhereTheyAre(string role, string expected)
    {
        Assert.NotEmpty(expected);
        var (options, container) = (Read(role), Container(role));

        foreach (var probe in (string[])["startupProbe", "readinessProbe"])
        {
            var command = Words(In(container, probe, "exec", "command"));
            Assert.Equal("failoverhub-agent", command[0]);
            var asked = new AgentCommandLine().Read([.. command.Skip(1)], "host", TextWriter.Null, TextWriter.Null);
            Assert.Equal(options.ControlSocket, Assert.IsType<CommandLineRequest.Ask>(asked).ControlSocket);
        }

        var live = At(container, "livenessProbe", "httpGet");
        Assert.Equal((options.Metrics!.Address.ToString(), $"{options.Metrics.Port}", "/metrics"), (Text(live, "host"), Text(live, "port"), Text(live, "path")));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Pod_HasTheNodesNetwork_AndNoMoreRightsThanManagedAddressesNeed(string role, string expected)
    {
        Assert.NotEmpty(expected);
        var (pod, container) = (Pod(role), Container(role));

        Assert.Equal("true", Text(pod, "hostNetwork"));
        Assert.True(int.Parse(Text(pod, "terminationGracePeriodSeconds"), System.Globalization.CultureInfo.InvariantCulture) > 30);
        Assert.Equal(role, Text(At(pod, "nodeSelector"), "failoverhub/role"));
        var rights = At(container, "securityContext");
        Assert.Equal(["ALL"], Words(In(rights, "capabilities", "drop")));
        Assert.Equal(["NET_ADMIN"], Words(In(rights, "capabilities", "add")));
        Assert.Equal(("false", "true"), (Text(rights, "allowPrivilegeEscalation"), Text(rights, "readOnlyRootFilesystem")));

        // Each mount has its volume, the state is the machine's own, and the file is that of the map.
        var volumes = Items(In(pod, "volumes")).ToDictionary(volume => Text(volume, "name"));
        var mounts = Items(In(container, "volumeMounts")).ToDictionary(mount => Text(mount, "mountPath"), mount => volumes[Text(mount, "name")]);
        Assert.NotNull(At(mounts["/state"], "hostPath"));
        Assert.Equal(Text(At(Document("ConfigMap"), "metadata"), "name"), Text(At(mounts[ConfigurationPath], "configMap"), "name"));
        Assert.Equal("0", Text(At(Set(role), "spec", "updateStrategy", "rollingUpdate"), "maxSurge"));
        Assert.All((string[])["app", "role"], label => Assert.Equal(Text(At(Set(role), "spec", "selector", "matchLabels"), label), Text(At(Set(role), "spec", "template", "metadata", "labels"), label)));
    }

    [Fact]
    public void Documents_AreInOneNamespace()
    {
        var name = Text(At(Document("Namespace"), "metadata"), "name");

        Assert.All(_documents.Where(document => Text(document, "kind") != "Namespace"), document => Assert.Equal(name, Text(At(document, "metadata"), "namespace")));
    }

    // As the kubelet starts it: the arguments, the variables and the file of the map.
    private static AgentOptions Read(string role)
    {
        using var directory = new TemporaryDirectory();
        foreach (var (name, content) in At(Document("ConfigMap"), "data").Children)
        {
            File.WriteAllText(directory.At(((YamlScalarNode)name).Value!), ((YamlScalarNode)content).Value);
        }

        var arguments = Words(In(Container(role), "args")).Select(argument => argument.Replace(ConfigurationPath, directory.Root, StringComparison.Ordinal));
        var variables = Items(In(Container(role), "env")).Select(variable =>
        {
            Assert.Equal("spec.nodeName", Text(At(variable, "valueFrom", "fieldRef"), "fieldPath"));
            return KeyValuePair.Create(Text(variable, "name"), "the-node");
        });
        var error = new StringWriter();
        var request = new AgentCommandLine().Read([.. arguments], new AgentSurroundings("host", [.. variables], directory.At("nothing")), TextWriter.Null, error);
        Assert.Equal("", error.ToString());
        return Assert.IsType<CommandLineRequest.Run>(request).Options;
    }

    private static List<YamlMappingNode> Load()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "FailoverHub.sln")))
        {
            folder = folder.Parent;
        }

        using var file = File.OpenText(Path.Combine(folder.FullName, "packaging", "kubernetes", "agent.yaml"));
        var stream = new YamlStream();
        stream.Load(file);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    private static YamlMappingNode Document(string kind) => _documents.Single(document => Text(document, "kind") == kind);

    private static YamlMappingNode Set(string role) => _documents.Single(document => Text(document, "kind") == "DaemonSet" && Text(At(document, "metadata", "labels"), "role") == role);

    private static YamlMappingNode Pod(string role) => At(Set(role), "spec", "template", "spec");

    private static YamlMappingNode Container(string role) => Items(In(Pod(role), "containers")).Single();

    private static YamlNode In(YamlNode node, params string[] path) => path.Aggregate(node, (at, name) => at[name]);

    private static YamlMappingNode At(YamlNode node, params string[] path) => (YamlMappingNode)In(node, path);

    private static List<YamlMappingNode> Items(YamlNode list) => [.. ((YamlSequenceNode)list).Children.Cast<YamlMappingNode>()];

    private static List<string> Words(YamlNode list) => [.. ((YamlSequenceNode)list).Children.Select(word => ((YamlScalarNode)word).Value!)];

    private static string Text(YamlNode node, string name) => ((YamlScalarNode)node[name]).Value!;
}
