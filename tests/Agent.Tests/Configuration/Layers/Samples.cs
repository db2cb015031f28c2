namespace FailoverHub.Agent.Tests.Configuration.Layers;

internal static class Samples
{
    /// <summary>Every key there is but <c>ttlSecurity</c> and the key files, which exclude others or need files.</summary>
    public const string Everything = """
        {
          "$schema": "agent.schema.json",
          "node": "node-a",
          "dataCenter": 18,
          "neighbors": ["192.0.2.1:1790", "[2001:db8::1]:1791", "2001:db8::2"],
          "neighborPattern": "2001:db8:%d:9::%d",
          "neighborPort": 180,
          "localAddresses": ["192.0.2.11", "2001:db8::11"],
          "routerId": "192.0.2.99",
          "localAs": 65011,
          "peerAs": 4200000000,
          "role": "secondary",
          "prefixes": [
            { "prefix": "203.0.113.10/32", "role": "primary", "present": true, "failback": { "policy": "after-stable", "stableFor": 90 } },
            { "prefix": "2001:db8:e001:1b8c::/64" }
          ],
          "checks": [
            {
              "name": "web",
              "http": {
                "url": "https://shop.example/health", "connectTo": "127.0.0.1", "hostName": "shop.example", "statuses": [204, "300-399"], "bodyContains": "ok",
                "verifyCertificate": false, "certificateAuthorityFile": "/etc/ssl/ca.pem", "minimumCertificateDays": 14
              },
              "interval": 5, "fastInterval": 0.25, "timeout": 1, "rise": 4, "fall": 5, "initial": "unhealthy", "consequence": "demote", "prefixes": ["203.0.113.10/32"]
            },
            { "name": "db", "tcp": { "host": "127.0.0.1", "port": 5432 }, "initial": "healthy" },
            { "name": "line", "command": { "run": "killall -0 nginx", "user": "nobody", "group": "nogroup" } },
            { "name": "list", "command": { "run": ["/usr/bin/test", "-e", "/run/a b"] }, "consequence": "withdraw", "initial": "hold" },
            { "name": "process", "process": { "name": "nginx", "pidFile": "/run/nginx.pid" } },
            { "name": "body", "http": { "url": "http://127.0.0.1/", "bodyMatches": "^o[kK]$" } }
          ],
          "failback": { "policy": "manual" },
          "limits": { "drain": false, "promote": false, "demote": false },
          "addresses": { "mode": "managed", "device": "shared0", "allInterfaces": true, "send56": true },
          "session": {
            "holdTime": 30, "sendHoldTime": 70, "multihopTtl": 12, "extendedMessages": true, "enhancedRouteRefresh": true, "gracefulRestartHelper": true,
            "largeCommunities": ["64500:1:20"], "gracefulShutdown": 15
          },
          "damping": false,
          "probing": false,
          "metadata": "http://192.0.2.254",
          "hub": "http://127.0.0.1:5081",
          "state": "/var/tmp/state",
          "control": "/var/tmp/agent.sock",
          "metrics": "127.0.0.1:9179",
          "identityPort": 5999,
          "log": { "level": "debug", "json": true }
        }
        """;
}
